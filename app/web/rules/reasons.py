"""Reasons: the deployment's own beside those that ship, and the codes other systems know them by; also as a file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import APIRouter, Depends, File, Form, Query, Response, UploadFile
from pydantic import BaseModel

from app.core.errors import NotFound
from app.core.i18n import LANGUAGES
from app.edge import require
from app.web.case_actions import ActionForm
from app.web.desk import Desk, DeskDep
from app.web.flash import Flash
from app.web.rules import common
from app.web.rules.forms import Sheet, content_of
from app.web.rules.learning import PAGE as LEARNED
from disputes.actions import own_reasons as actions
from disputes.actions.policies import PolicyMoved
from disputes.codes import SYSTEMS, CodeMap, Codes
from disputes.own_reasons import OwnReason
from disputes.reason_sheet import MOST_BYTES, Cells, split, written
from disputes.reasons import DISPUTE, MARK, QUERY, REASONS, SPECIALISED, shipped
from disputes.rulebook import BadPolicy
from disputes.rules_in_force import CODES, ONLY, OWN_REASONS, all_reasons, code_map, codes, own_reasons

router = APIRouter(dependencies=[Depends(require("manage reasons"))])
PAGE = "/rules/reasons"
CELL = "code/"
ADD = ""
"""In place of a reason's name: the form that adds one."""


class ReasonsQuery(BaseModel):
    """Whose codes are shown ("" those of everybody), and of which version."""

    entity: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: a reason, its codes by system as typed or as they hold, and what the cells would inherit."""

    name: str
    team: str
    own: OwnReason | None
    cells: Mapping[str, str]
    usual: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class State:
    """What the page shows besides what is in force: cells and forms as sent, with what is wrong."""

    cells: Cells | None = None
    faults: Mapping[str, str] = field(default_factory=dict)
    form: str | None = None
    sheet: Sheet = field(default_factory=lambda: Sheet({}))
    file_faults: Sequence[tuple[str, str]] = ()
    note: str = ""
    moved: bool = False


Items = Annotated[tuple[tuple[str, str], ...], Depends(common.posted)]


@router.get(PAGE)
def show(desk: DeskDep, asked: Annotated[ReasonsQuery, Query()]) -> Response:
    """Every reason with its codes as they hold, or as an older version of them says."""
    _known(desk, asked.entity)
    return _page(desk, asked.entity, opened=asked.version)


@router.post(PAGE)
def add(desk: DeskDep, items: Items) -> Response:
    """One more reason of one's own: a special form of a shipped one."""
    content = content_of(items)
    name = f"{content.get('parent', '')}{MARK}{content.get('own', '')}"
    if name in own_reasons(desk.session).rules.names:
        twice = Sheet(content, {"name": f"there are two reasons {name}"})
        return _page(desk, state=State(form=ADD, sheet=twice), status=422)
    return _put(desk, name, content, form=ADD)


@router.post(f"{PAGE}/codes")
def map_codes(desk: DeskDep, items: Items) -> Response:
    """Codes as the table has them, in force for all that is told and taken from now on."""
    given = dict(items)
    entity = _known(desk, given.get("entity", ""))
    cells = _cells(items)
    note, based_on = given.get("note", "").strip()[: common.LONGEST_NOTE], common.version_of(given.get("based_on", ""))
    try:
        actions.put_cells(
            desk.session,
            cells=cells,
            entity=entity or None,
            note=note,
            based_on=based_on,
            actor=desk.actor,
            now=desk.now,
        )
    except BadPolicy as refused:
        return _page(desk, entity, state=State(cells, refused.fields, note=note), status=422)
    except PolicyMoved:
        return _page(desk, entity, state=State(cells, note=note, moved=True), status=409)
    return desk.done(_address(entity), Flash("saved"))


@router.get(f"{PAGE}/table.csv")
def export(desk: DeskDep, entity: str = "") -> Response:
    """The table as a file, to be changed elsewhere and brought back."""
    text = written(code_map(desk.session, entity=_known(desk, entity) or None))
    name = f"reasons-{entity or 'all'}.csv"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(text.encode(), media_type="text/csv; charset=utf-8", headers=headers)


@router.post(f"{PAGE}/table")
def take(desk: DeskDep, file: Annotated[UploadFile, File()], entity: Annotated[str, Form()] = "") -> Response:
    """Reasons and codes from a file: all of it, or what is wrong with which line."""
    _known(desk, entity)
    data = file.file.read(MOST_BYTES + 1)
    try:
        actions.take_table(
            desk.session,
            data=data,
            entity=entity or None,
            note=(file.filename or "")[:100],
            actor=desk.actor,
            now=desk.now,
        )
    except BadPolicy as refused:  # before anything was written
        return _page(desk, entity, state=State(file_faults=tuple(refused.fields.items())), status=422)
    return desk.done(_address(entity), Flash("saved"))


@router.post(f"{PAGE}/{{name}}")
def change(desk: DeskDep, name: str, items: Items) -> Response:
    """Labels and team of an own reason; one that was retired is used again."""
    if name not in own_reasons(desk.session).rules.names:
        raise actions.NoReason(f"There is no reason {name!r} of your own")
    return _put(desk, name, content_of(items), form=name)


@router.post(f"{PAGE}/{{name}}/retirement")
def retire(desk: DeskDep, name: str, _form: Annotated[ActionForm, Form()]) -> Response:
    """Given to nothing any more; what has it keeps it."""
    actions.retire(desk.session, name=name, actor=desk.actor, now=desk.now)
    return desk.done(PAGE, Flash("saved"))


def _put(desk: Desk, name: str, content: Mapping[str, object], *, form: str) -> Response:
    labels = content.get("labels")
    try:
        actions.put(
            desk.session,
            name=name,
            labels=dict(labels) if isinstance(labels, Mapping) else {},
            team=str(content.get("team", "")),
            actor=desk.actor,
            now=desk.now,
        )
    except BadPolicy as refused:
        return _page(desk, state=State(form=form, sheet=Sheet(dict(content), refused.fields)), status=422)
    return desk.done(PAGE, Flash("saved"))


def _known(desk: Desk, entity: str) -> str:
    if entity and entity not in {code for code, _ in common.choices(desk).entities}:
        raise NotFound(f"There is no entity {entity!r}")
    return entity


def _cells(items: Sequence[tuple[str, str]]) -> dict[tuple[str, str], tuple[str, ...]]:
    """The cells of the form; names of no reason or system are left for the table's own check."""
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for name, value in items:
        reason, _, system = name.removeprefix(CELL).partition("/")
        if name.startswith(CELL) and system in SYSTEMS:
            found[reason, system] = split(system, value)
    return found


def _address(entity: str) -> str:
    return f"{PAGE}?entity={entity}" if entity else PAGE


def _page(desk: Desk, entity: str = "", *, state: State | None = None, opened: str = "", status: int = 200) -> Response:
    state, key = state or State(), entity or ONLY
    usual = CodeMap(all_reasons(desk.session), (codes(desk.session).rules,) if entity else ())
    mapped = code_map(desk.session, entity=entity or None)
    if opened:
        older = common.older(desk, CODES, key, opened)
        mapped = CodeMap(usual.reasons, (*([older] if isinstance(older, Codes) else []), *usual.layers))
    return common.page(
        desk,
        "rules/reasons.html",
        status=status,
        family=CODES,
        key=key,
        here=_address(entity),
        entity=entity,
        version=codes(desk.session, key=key).version,
        opened=opened,
        systems=SYSTEMS,
        ui_languages=LANGUAGES,
        rows={kind: _rows(mapped, usual, kind, state) for kind in (DISPUTE, QUERY)},
        shared=[(system, mapped.shared(system)) for system in SYSTEMS],
        own=list(mapped.reasons.own.values()),
        state=state,
        parents=[(name, desk.reason_names(name)) for name in SPECIALISED],
        choices=common.choices(desk),
        codes_history=common.history(desk, family=CODES, key=key),
        reasons_history=common.history(desk, family=OWN_REASONS, key=ONLY),
        model_page=LEARNED,
    )


def _rows(mapped: CodeMap, usual: CodeMap, kind: str, state: State) -> list[Row]:
    return [_row(mapped, usual, name, state) for name in mapped.reasons.of_kind(kind)]


def _row(mapped: CodeMap, usual: CodeMap, name: str, state: State) -> Row:
    """What was typed, else what holds; beside it what would hold if nothing were said here."""
    typed = state.cells or {}
    cells = {system: typed.get((name, system), mapped.codes(name, system)) for system in SYSTEMS}
    inherited = {system: _inherited(mapped, usual, name, system) for system in SYSTEMS}
    return Row(
        name=name,
        team=mapped.reasons.team_of(name),
        own=mapped.reasons.own.get(name),
        cells={system: ", ".join(found) for system, found in cells.items()},
        usual={system: ", ".join(found) for system, found in inherited.items() if found != cells[system]},
    )


def _inherited(mapped: CodeMap, usual: CodeMap, name: str, system: str) -> tuple[str, ...]:
    said = any(layer.of(name, system) is not None for layer in usual.layers)
    return usual.codes(name, system) if said or name in REASONS else mapped.codes(shipped(name), system)
