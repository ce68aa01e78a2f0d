"""Reminders: the dunning procedures, level by level, replayed over last quarter before they are saved; and for whom."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy import select

from app.core.errors import NotFound
from app.web.desk import Desk, DeskDep
from app.web.flash import Flash
from app.web.rules import common
from app.web.rules.common import MANAGE, Posted, PostedDep
from app.web.rules.forms import Sheet, named, shown
from disputes.actions.policies import PolicyMoved
from disputes.models import Policy
from disputes.queries import policies as versions
from disputes.rule_changes import Changed, changes
from disputes.rulebook import BadPolicy, read
from disputes.rules_in_force import ONLY
from invoices.models import Account
from letters.procedure import Assignment, Level, Procedure, read_procedure
from letters.procedure import shipped as shipped_procedures
from letters.queries.replaying import SHOWN, Found, replayed
from letters.rules import ASSIGNMENTS, PROCEDURE, Assignments, letter_rules, unknown_procedures

router = APIRouter(dependencies=MANAGE)
N_ = str  # marks a msgid for extraction
PAGE = "/rules/reminders"
FOR_PAGE = "/rules/reminders-for"
NEW = "new"
"""Stands in the address for a procedure that has no key yet, and is no key."""
_MOST_GROUPS = 200
OVER = "over"
"""The field of the form that says whose past is replayed: an entity's code, or nothing for those it is for."""


class NoProcedure(NotFound):
    """There is no dunning procedure of that key."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A procedure in the list, with those it is for; version 0 is the one that ships."""

    key: str
    rules: Procedure
    version: int
    whom: tuple[Assignment, ...]
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
    over: str = ""

    @property
    def levels(self) -> Sequence[tuple[str, Sheet, Level | None]]:
        """Each level's row key, its fields, and the level where it can be read."""
        return [(f"r{number}", row, _level(row.content)) for number, row in enumerate(self.sheet.rows("levels"))]


@router.get(PAGE)
def show_all(desk: DeskDep) -> Response:
    """Every procedure with its levels in words, and whom it is for."""
    rules = letter_rules(desk.session)
    written = {one.key: one for one in versions.in_force(desk.session, family=PROCEDURE)}
    listed = []
    for key, one in rules.procedures.items():
        own, whom = written.get(key), tuple(row for row in rules.assignments.rules.rows if row.procedure == key)
        listed.append(Listed(key, one.rules, one.version, whom, own.by if own else "", own.at if own else None))
    listed.sort(key=lambda one: (not one.whom, not one.version, one.rules.name))
    nothing = [row for row in rules.assignments.rules.rows if not row.procedure]
    known = desk.session.scalars(select(Policy.key).where(Policy.family == PROCEDURE).distinct().order_by(Policy.key))
    stopped = [key for key in known if key not in rules.procedures]
    return common.page(desk, "rules/reminders.html", procedures=listed, nothing=nothing, stopped=stopped)


@router.get(f"{PAGE}/{{key}}")
def show(desk: DeskDep, key: str, version: str = "", like: str = "") -> Response:
    """The editor: of the procedure in force, of an older version, or of a copy that will be a new one."""
    procedures = letter_rules(desk.session).procedures
    if key == NEW:
        copied = procedures.get(like) or next(iter(procedures.values()))
        content = {**shown(copied.rules.model_dump(mode="json")), "name": ""}
        return _page(desk, Opened(NEW, desk.words.gettext(N_("New procedure")), 0, Sheet(content)))
    one = procedures.get(key)
    version = version or ("" if one else _newest(desk, key))
    seen = common.older(desk, PROCEDURE, key, version) if version else one.rules if one else None
    if seen is None:
        raise NoProcedure(f"There is no dunning procedure {key}")
    title = one.rules.name if one else str(seen.model_dump()["name"])
    sheet = Sheet(shown(seen.model_dump(mode="json")))
    return _page(desk, Opened(key, title, one.version if one else 0, sheet, old=version))


@router.post(f"{PAGE}/{{key}}/preview")
def preview(desk: DeskDep, key: str, form: PostedDep) -> Response:
    """The same page with what the procedure would have sent last quarter; nothing is saved."""
    opened = _opened(desk, key, form)
    try:
        procedure = read_procedure(form.content)
    except BadPolicy as refused:
        return _refused(desk, opened, refused)
    rules = letter_rules(desk.session)
    found = replayed(
        desk.session, user=desk.user, rules=rules, key=key, procedure=procedure, over=opened.over, today=desk.today
    )
    one = rules.procedures.get(key)
    return _page(desk, opened, found=found, changed=changes(one.rules, procedure) if one else ())


@router.post(f"{PAGE}/{{key}}/versions")
def save(desk: DeskDep, key: str, form: PostedDep) -> Response:
    """A new version, for every letter decided on from now on."""
    opened = _opened(desk, key, form)
    try:
        key = _key(desk, key, read_procedure(form.content).name)
        common.keep(desk, form, family=PROCEDURE, key=key, content=form.content)
    except BadPolicy as refused:
        return _refused(desk, opened, refused)
    except PolicyMoved:
        one = letter_rules(desk.session).procedures.get(key)
        return _page(desk, replace(opened, version=one.version if one else 0), status=409, moved=True)
    return desk.done(f"{PAGE}/{key}", Flash("saved"))


@router.get(FOR_PAGE)
def show_whom(desk: DeskDep, version: str = "") -> Response:
    """Whom each procedure is for, as it is or as it was."""
    one = letter_rules(desk.session).assignments
    content = common.older(desk, ASSIGNMENTS, ONLY, version) if version else one.rules
    return _whom_page(desk, Sheet(shown(content.model_dump(mode="json"))), version=one.version, opened=version)


@router.post(f"{FOR_PAGE}/versions")
def save_whom(desk: DeskDep, form: PostedDep) -> Response:
    """A new version, for every letter decided on from now on."""
    content = {"rows": [{"procedure": "", **row} for row in form.content.get("rows", ())]}
    try:
        rules = read(Assignments, content, what="Whom procedures are for")
        _known(desk, rules)
        common.keep(desk, form, family=ASSIGNMENTS, key=ONLY, content=content)
    except BadPolicy as refused:
        sheet = Sheet(form.content, refused.fields)
        return _whom_page(desk, sheet, version=form.based_on or 0, note=form.note, status=422)
    except PolicyMoved:
        version = letter_rules(desk.session).assignments.version
        return _whom_page(desk, Sheet(form.content), version=version, note=form.note, moved=True, status=409)
    return desk.done(PAGE, Flash("saved"))


def _known(desk: Desk, rules: Assignments) -> None:
    """Raises BadPolicy where a row names a procedure or an entity there is not."""
    gone = unknown_procedures(rules, letter_rules(desk.session).procedures)
    entities = {code for code, _ in common.choices(desk).entities}
    faults = {}
    for number, row in enumerate(rules.rows):
        if row.procedure in gone:
            faults[f"rows.{number}.procedure"] = N_("There is no such procedure any more.")
        if row.entity is not None and row.entity not in entities:
            faults[f"rows.{number}.entity"] = N_("There is no such entity.")
    if faults:
        raise BadPolicy("Some rows name what there is not", fields=faults)


def _opened(desk: Desk, key: str, form: Posted) -> Opened:
    """The editor as the form left it. New levels get their ids here, so that faults can name them."""
    over = str(form.content.pop(OVER, ""))
    sheet = Sheet(named(form.content, rows="levels", by="kind"))
    if key == NEW:
        return Opened(NEW, desk.words.gettext(N_("New procedure")), 0, sheet, form.note, over=over)
    one = letter_rules(desk.session).procedures.get(key)
    if one is None and not _newest(desk, key):
        raise NoProcedure(f"There is no dunning procedure {key}")
    title = one.rules.name if one else str(form.content.get("name", key))
    # The version the change began from, not the newest: saving must tell when somebody else saved meanwhile.
    version = form.based_on if form.based_on is not None else one.version if one else 0
    return Opened(key, title, version, sheet, form.note, over=over)


def _refused(desk: Desk, opened: Opened, refused: BadPolicy) -> Response:
    return _page(desk, replace(opened, sheet=Sheet(opened.sheet.content, refused.fields)), status=422)


def _page(
    desk: Desk,
    opened: Opened,
    *,
    status: int = 200,
    found: Found | None = None,
    changed: Sequence[Changed] = (),
    moved: bool = False,
) -> Response:
    return common.page(
        desk,
        "rules/reminder.html",
        status=status,
        family=PROCEDURE,
        key=opened.key,
        new=opened.key == NEW,
        title=opened.title,
        version=opened.version,
        opened=opened.old,
        over=opened.over,
        sheet=opened.sheet,
        currency=opened.sheet.value("currency"),
        levels=opened.levels,
        blank=Sheet({}),
        note=opened.note,
        found=found,
        most=SHOWN,
        changed=changed,
        in_force=opened.key in letter_rules(desk.session).procedures,
        moved=moved,
        choices=common.choices(desk),
        history=common.history(desk, family=PROCEDURE, key=opened.key),
        shipped=common.shipped_rules(PROCEDURE, opened.key) is not None,
    )


def _whom_page(
    desk: Desk,
    sheet: Sheet,
    *,
    version: int,
    note: str = "",
    opened: str = "",
    moved: bool = False,
    status: int = 200,
) -> Response:
    return common.page(
        desk,
        "rules/reminders_for.html",
        status=status,
        family=ASSIGNMENTS,
        key=ONLY,
        version=version,
        sheet=sheet,
        rows=[(f"r{number}", row, _assignment(row.content)) for number, row in enumerate(sheet.rows("rows"))],
        blank=Sheet({}),
        note=note,
        opened=opened,
        moved=moved,
        choices=common.choices(desk),
        procedures={key: one.rules.name for key, one in letter_rules(desk.session).procedures.items()},
        groups=_groups(desk),
        history=common.history(desk, family=ASSIGNMENTS, key=ONLY),
        shipped=True,
    )


def _groups(desk: Desk) -> Sequence[str]:
    """The customer groups the ERP names, to choose from; a code may be typed that no customer has yet."""
    codes = select(Account.customer_group).where(Account.customer_group != "").distinct()
    return desk.session.scalars(codes.order_by(Account.customer_group).limit(_MOST_GROUPS)).all()


def _newest(desk: Desk, key: str) -> str:
    """The newest version of a procedure of the deployment's own, by its policy's id; "" without one."""
    found = versions.versions(desk.session, family=PROCEDURE, key=key)
    return str(found[0].policy_id) if found else ""


def _key(desk: Desk, key: str, name: str) -> str:
    """The key itself; for a new procedure one of its name. Raises BadPolicy where that gives none, or one taken."""
    if key != NEW:
        return key
    made = common.key_of(name)
    taken = made in letter_rules(desk.session).procedures or made in shipped_procedures()
    if not made or made == NEW or taken:
        why = N_("There is a procedure of that name already.") if taken else N_("Please begin the name with a letter.")
        raise BadPolicy(why, fields={"name": why})
    return made


def _level(content: Mapping[str, Any]) -> Level | None:
    """A row as a level; None while it cannot be read."""
    try:
        return read(Level, content, what="The level")
    except BadPolicy:
        return None


def _assignment(content: Mapping[str, Any]) -> Assignment | None:
    try:
        return read(Assignment, {"procedure": "", **content}, what="The row")
    except BadPolicy:
        return None
