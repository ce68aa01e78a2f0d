"""Routing: who settles which cases, by rules in order; which open cases a change would move, and moving them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Response

from app.web.desk import Desk, DeskDep
from app.web.rules import common
from app.web.rules.common import MANAGE, Posted, PostedDep
from app.web.rules.forms import Sheet, shown
from disputes.actions import routing as acts
from disputes.actions.policies import PolicyMoved
from disputes.queries.moves import MoveRow, rows_of
from disputes.queries.routing import dry_run_of
from disputes.routing_rules import (
    REASON_TEAM,
    TEAM_CASE_OWNER,
    RoutingRule,
    RoutingRules,
    read_routing,
    unknown_teams,
)
from disputes.rule_changes import Changed, changes
from disputes.rulebook import BadPolicy, read
from disputes.rules_in_force import ONLY, ROUTING, routing_rules

router = APIRouter(dependencies=MANAGE)
PAGE = "/rules/routing"
APPLY = "apply"
"""The button that saves and moves the open cases as the dry run shows."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What the change would move: all of them counted, the first ones told."""

    count: int
    rows: Sequence[MoveRow]
    changed: Sequence[Changed]


@router.get(PAGE)
def show(desk: DeskDep, version: str = "", saved: int | None = None) -> Response:
    """The rules in force, or an older version."""
    one = routing_rules(desk.session)
    content = common.older(desk, ROUTING, ONLY, version) if version else one.rules
    sheet = Sheet(shown(content.model_dump(mode="json")))
    return _page(desk, sheet, version=one.version, opened=version, saved=saved)


@router.post(f"{PAGE}/preview")
def preview(desk: DeskDep, form: PostedDep) -> Response:
    """The same page with the open cases that would move, from whom to whom and why; nothing is saved."""
    try:
        rules = read_routing(_typed(form.content))
    except BadPolicy as refused:
        return _refused(desk, form, refused)
    moves = dry_run_of(desk.session, rules=rules, today=desk.today)
    changed = changes(routing_rules(desk.session).rules, rules)
    trial = Trial(len(moves), rows_of(desk.session, user=desk.user, moves=moves), changed)
    return _page(desk, Sheet(form.content), version=form.based_on or 0, note=form.note, trial=trial)


@router.post(f"{PAGE}/versions")
def save(desk: DeskDep, form: PostedDep) -> Response:
    """A new version, in force at once; with the button "apply" the open cases move as well."""
    apply = bool(form.content.pop(APPLY, None))
    content = _typed(form.content)
    try:
        rules = read_routing(content)
    except BadPolicy as refused:
        return _refused(desk, form, refused)
    moves = dry_run_of(desk.session, rules=rules, today=desk.today) if apply else ()
    try:
        common.keep(desk, form, family=ROUTING, key=ONLY, content=content)
    except PolicyMoved:
        version = routing_rules(desk.session).version
        return _page(desk, Sheet(form.content), version=version, note=form.note, moved=True, status=409)
    done = acts.apply(desk.session, moves=moves, actor=desk.actor, now=desk.now)
    return desk.done(f"{PAGE}?saved={len(done)}")


def _refused(desk: Desk, form: Posted, refused: BadPolicy) -> Response:
    sheet = Sheet(form.content, refused.fields)
    return _page(desk, sheet, version=form.based_on or 0, note=form.note, status=422)


def _page(
    desk: Desk,
    sheet: Sheet,
    *,
    version: int,
    note: str = "",
    opened: str = "",
    trial: Trial | None = None,
    saved: int | None = None,
    moved: bool = False,
    status: int = 200,
) -> Response:
    choices = common.choices(desk)
    rules = [(f"r{number}", row, _rule(row.content)) for number, row in enumerate(sheet.rows("rules"))]
    return common.page(
        desk,
        "rules/routing.html",
        status=status,
        family=ROUTING,
        key=ONLY,
        version=version,
        sheet=sheet,
        rules=rules,
        blank=Sheet({}),
        unknown=_unknown([rule for _, _, rule in rules if rule], [key for key, _ in choices.teams]),
        own_places=(REASON_TEAM, TEAM_CASE_OWNER),
        note=note,
        opened=opened,
        trial=trial,
        saved=saved,
        moved=moved,
        choices=choices,
        history=common.history(desk, family=ROUTING, key=ONLY),
        shipped=True,
    )


def _unknown(rules: Sequence[RoutingRule], teams: Sequence[str]) -> tuple[str, ...]:
    """Teams that rules name and nobody has made; what cannot be read yet is not asked."""
    return unknown_teams(RoutingRules.model_construct(rules=tuple(rules)), teams)


def _typed(content: Mapping[str, Any]) -> dict[str, Any]:
    """A form knows only text, and a level is a number."""
    return {**content, "rules": [_levelled(rule) for rule in content.get("rules", ())]}


def _levelled(rule: Mapping[str, Any]) -> dict[str, Any]:
    level = rule.get("level")
    return {**rule, "level": int(level)} if level in {"1", "2"} else dict(rule)


def _rule(content: Mapping[str, Any]) -> RoutingRule | None:
    try:
        return read(RoutingRule, _levelled(content), what="The rule")
    except BadPolicy:
        return None
