"""Absences: who is away, from when to when, who stands in; their open cases handed over in one go."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form, Response
from sqlalchemy import select

from app.auth import User
from app.web.case_actions import ActionForm
from app.web.desk import Desk, DeskDep
from app.web.flash import Flash
from app.web.rules.common import MANAGE
from disputes.actions import absences as acts
from disputes.queries.absences import absences

router = APIRouter(dependencies=MANAGE)
PAGE = "/rules/absences"
N_ = str  # marks a msgid for extraction
FAULTS: Mapping[str, str] = {
    "before the first day": N_("The last day comes before the first."),
    "too far away": N_("An absence lasts a year at most."),
    "overlaps another absence": N_("They are away on some of these days already."),
    "the same person": N_("Nobody stands in for themselves."),
    "unknown": N_("There is no such person any more."),
    "no day": N_("Please choose a day."),
}


class AbsenceForm(ActionForm):
    """Who, from, to (both days included), who stands in, and a word on it."""

    user: str = ""
    first_day: str = ""
    last_day: str = ""
    stand_in: str = ""
    note: str = ""


@router.get(PAGE)
def show(desk: DeskDep, moved: int | None = None, stayed: int = 0) -> Response:
    """Everybody who is away or will be."""
    return _page(desk, moved=moved, stayed=stayed)


@router.post(PAGE)
def plan(desk: DeskDep, form: Annotated[AbsenceForm, Form()]) -> Response:
    """Somebody will be away; what cannot be comes back with the form. The same twice is one absence."""
    first, last, who = _day(form.first_day), _day(form.last_day), _number(form.user)
    faults = {"user": "unknown"} if who is None else {}
    faults |= {"first_day": "no day"} if first is None else {}
    faults |= {"last_day": "no day"} if last is None else {}
    if first is None or last is None or who is None:
        return _page(desk, form=form, faults=faults, status=422)
    try:
        acts.plan(
            desk.session,
            user_id=who,
            first_day=first,
            last_day=last,
            stand_in_id=_number(form.stand_in),
            note=form.note[:500],
            actor=desk.actor,
            now=desk.now,
        )
    except acts.BadAbsence as refused:
        return _page(desk, form=form, faults=refused.fields, status=422)
    return desk.done(PAGE, Flash("saved"))


@router.post(f"{PAGE}/{{absence_id}}")
def change(desk: DeskDep, absence_id: int, form: Annotated[AbsenceForm, Form()]) -> Response:
    """Other days, another stand-in or note; what cannot be comes back with the form."""
    first, last = _day(form.first_day), _day(form.last_day)
    if first is None or last is None:
        faults = {name: "no day" for name, day in (("first_day", first), ("last_day", last)) if day is None}
        return _page(desk, form=form, changing=absence_id, faults=faults, status=422)
    try:
        acts.change_days(
            desk.session,
            absence_id=absence_id,
            first_day=first,
            last_day=last,
            stand_in_id=_number(form.stand_in),
            note=form.note[:500],
            actor=desk.actor,
            now=desk.now,
        )
    except acts.BadAbsence as refused:
        return _page(desk, form=form, changing=absence_id, faults=refused.fields, status=422)
    return desk.done(PAGE, Flash("saved"))


@router.post(f"{PAGE}/{{absence_id}}/end")
def end(desk: DeskDep, absence_id: int) -> Response:
    """The person is back today, or will not be away after all."""
    acts.end(desk.session, absence_id=absence_id, today=desk.today, actor=desk.actor, now=desk.now)
    return desk.done(PAGE, Flash("saved"))


@router.post(f"{PAGE}/{{user_id}}/handover")
def hand_over(desk: DeskDep, user_id: int) -> Response:
    """All open cases of somebody who is away go to who stands in for them."""
    try:
        handed = acts.hand_over(
            desk.session, user=desk.user, absent_id=user_id, today=desk.today, actor=desk.actor, now=desk.now
        )
    except acts.NobodyStandsIn:
        return _page(desk, nobody=user_id, status=409)
    return desk.done(f"{PAGE}?moved={len(handed.done)}&stayed={len(handed.stayed)}")


def _page(
    desk: Desk,
    *,
    form: AbsenceForm | None = None,
    faults: Mapping[str, str] | None = None,
    changing: int | None = None,
    moved: int | None = None,
    stayed: int = 0,
    nobody: int | None = None,
    status: int = 200,
) -> Response:
    people = desk.session.execute(select(User.id, User.name).where(User.active).order_by(User.name)).all()
    return desk.page(
        "rules/absences.html",
        status=status,
        absences=absences(desk.session, user=desk.user, today=desk.today),
        people=people,
        form=form or AbsenceForm(),
        changing=changing,
        blank=AbsenceForm(),
        faults={field: FAULTS.get(words, words) for field, words in (faults or {}).items()},
        moved=moved,
        stayed=stayed,
        nobody=nobody,
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 18 else None  # noqa: PLR2004 - ids are 64-bit
