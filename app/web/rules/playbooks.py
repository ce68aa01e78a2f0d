"""Playbooks: what happens to cases by itself, changed step by step, its effect shown before it is saved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import select

from app.core.errors import NotFound
from app.web.desk import Desk, DeskDep
from app.web.rules import common
from app.web.rules.common import MANAGE, Posted, PostedDep
from app.web.rules.forms import Sheet, named, shown
from disputes.actions.policies import PolicyMoved
from disputes.conditions import Condition
from disputes.models import Policy
from disputes.playbook import Playbook, Step, default_playbooks, read_playbook
from disputes.queries import policies as versions
from disputes.queries.simulation import Found, simulation_of
from disputes.rule_changes import Changed, changes
from disputes.rulebook import BadPolicy, read
from disputes.rules_in_force import PLAYBOOK, InForce, playbooks

router = APIRouter(dependencies=MANAGE)
N_ = str  # marks a msgid for extraction
NEW = "new"
"""Stands in the address for a playbook that has no key yet, and is no key."""


class NoPlaybook(NotFound):
    """There is no playbook of that key."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A playbook in the list: version 0 is the one that ships."""

    key: str
    rules: Playbook
    version: int
    by: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """What the editor shows: `version` is the one in force (0: shipped), `old` an older one that is looked at."""

    key: str
    title: str
    version: int
    sheet: Sheet
    note: str = ""
    old: str = ""

    @property
    def fits(self) -> Condition | None:
        """For which cases it is; None while that cannot be read."""
        try:
            return read(Condition, self.sheet.content.get("when", {}), what="The condition")
        except BadPolicy:
            return None

    @property
    def steps(self) -> Sequence[tuple[str, Sheet, Step | None]]:
        """Each step's row key, its fields, and the step where it can be read."""
        return [(f"r{number}", row, _step(row.content)) for number, row in enumerate(self.sheet.rows("steps"))]


@router.get("/rules")
def rules() -> Response:
    """The rules begin at the playbooks."""
    return RedirectResponse("/rules/playbooks", status_code=303)


@router.get("/rules/playbooks")
def show_all(desk: DeskDep) -> Response:
    """Every playbook in the order they are asked, each told in words."""
    written = {one.key: one for one in versions.in_force(desk.session, family=PLAYBOOK)}
    listed = []
    for key, one in playbooks(desk.session).items():
        own = written.get(key)
        listed.append(Listed(key, one.rules, one.version, own.by if own else "", own.at if own else None))
    return common.page(desk, "rules/playbooks.html", playbooks=listed, stopped=_all_stopped(desk))


@router.get("/rules/playbooks/{key}")
def show(desk: DeskDep, key: str, version: str = "", like: str = "", saved: int | None = None) -> Response:
    """The editor: of the playbook in force, of an older version, or of a copy that will be a new one."""
    if key == NEW:
        copied = _playbook(desk, like or next(iter(default_playbooks())))
        content = {**shown(copied.rules.model_dump(mode="json")), "name": ""}
        return _page(desk, Opened(NEW, desk.words.gettext(N_("New playbook")), 0, Sheet(content)))
    version = version or _stopped(desk, key)
    one = playbooks(desk.session).get(key)
    seen = common.older(desk, PLAYBOOK, key, version) if version else _playbook(desk, key).rules
    title = one.rules.name if one else str(seen.model_dump()["name"])
    opened = Opened(key, title, one.version if one else 0, Sheet(shown(seen.model_dump(mode="json"))), old=version)
    return _page(desk, opened, saved=saved)


@router.post("/rules/playbooks/{key}/preview")
def preview(desk: DeskDep, key: str, form: PostedDep) -> Response:
    """The same page with the effect the change would have; nothing is saved."""
    opened = _opened(desk, key, form)
    try:
        playbook = read_playbook(form.content)
    except BadPolicy as refused:
        return _refused(desk, opened, refused)
    key = _key(desk, key, playbook.name)
    found = simulation_of(desk.session, user=desk.user, key=key, playbook=playbook, now=desk.now)
    one = playbooks(desk.session).get(key)
    return _page(desk, opened, effect=found, changed=changes(one.rules, playbook) if one else ())


@router.post("/rules/playbooks/{key}/versions")
def save(desk: DeskDep, key: str, form: PostedDep) -> Response:
    """A new version, in force at once; the cases on their way are timed again."""
    opened = _opened(desk, key, form)
    try:
        playbook = read_playbook(form.content)
        key = _key(desk, key, playbook.name)
        common.keep(desk, form, family=PLAYBOOK, key=key, content=form.content)
    except BadPolicy as refused:
        return _refused(desk, opened, refused)
    except PolicyMoved:
        now = replace(opened, version=_playbook(desk, key).version)
        return _page(desk, now, status=409, moved=True)
    return desk.done(f"/rules/playbooks/{key}?saved={common.timed_again(desk, key)}")


def _opened(desk: Desk, key: str, form: Posted) -> Opened:
    """The editor as the form left it. New steps get their ids here, so that faults and effect can name them."""
    sheet = Sheet(named(form.content))
    if key == NEW:
        return Opened(NEW, desk.words.gettext(N_("New playbook")), 0, sheet, form.note)
    one = playbooks(desk.session).get(key)
    if one is None:
        return Opened(key, str(form.content.get("name", key)), 0, sheet, form.note)
    # The version the change began from, not the newest: saving must tell when somebody else saved meanwhile.
    version = one.version if form.based_on is None else form.based_on
    return Opened(key, one.rules.name, version, sheet, form.note)


def _refused(desk: Desk, opened: Opened, refused: BadPolicy) -> Response:
    return _page(desk, replace(opened, sheet=Sheet(opened.sheet.content, refused.fields)), status=422)


def _page(
    desk: Desk,
    opened: Opened,
    *,
    status: int = 200,
    effect: Found | None = None,
    changed: Sequence[Changed] = (),
    saved: int | None = None,
    moved: bool = False,
) -> Response:
    return common.page(
        desk,
        "rules/playbook.html",
        status=status,
        family=PLAYBOOK,
        key=opened.key,
        new=opened.key == NEW,
        title=opened.title,
        version=opened.version,
        opened=opened.old,
        sheet=opened.sheet,
        steps=opened.steps,
        fits=opened.fits,
        blank=Sheet({}),
        note=opened.note,
        effect=effect,
        changed=changed,
        in_force=opened.key in playbooks(desk.session),
        saved=saved,
        moved=moved,
        choices=common.choices(desk),
        history=common.history(desk, family=PLAYBOOK, key=opened.key),
        shipped=common.shipped_rules(PLAYBOOK, opened.key) is not None,
    )


def _playbook(desk: Desk, key: str) -> InForce[Playbook]:
    found = playbooks(desk.session).get(key)
    if found is None:
        raise NoPlaybook(f"There is no playbook {key}")
    return found


def _all_stopped(desk: Desk) -> Sequence[str]:
    """Keys of playbooks that were in force once and are not any more."""
    known = desk.session.scalars(select(Policy.key).where(Policy.family == PLAYBOOK).distinct().order_by(Policy.key))
    in_use = playbooks(desk.session)
    return [key for key in known if key not in in_use]


def _stopped(desk: Desk, key: str) -> str:
    """The newest version of a playbook that is in force no more, to be looked at; "" for one that is."""
    if key in playbooks(desk.session):
        return ""
    found = versions.versions(desk.session, family=PLAYBOOK, key=key)
    return str(found[0].policy_id) if found else ""


def _key(desk: Desk, key: str, name: str) -> str:
    """The key itself; for a new playbook one of its name. Raises BadPolicy where that gives none, or one taken."""
    if key != NEW:
        return key
    made = common.key_of(name)
    taken = made in playbooks(desk.session)
    if not made or made == NEW or taken:
        why = N_("There is a playbook of that name already.") if taken else N_("Please begin the name with a letter.")
        raise BadPolicy(why, fields={"name": why})
    return made


def _step(content: Mapping[str, Any]) -> Step | None:
    """A row as a step; None while it cannot be read."""
    try:
        return read(Step, content, what="The step")
    except BadPolicy:
        return None
