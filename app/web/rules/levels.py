"""Service levels: what is promised by when, for which cases, and when the owner is warned."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from fastapi import APIRouter, Response

from app.web.desk import Desk, DeskDep
from app.web.rules import common
from app.web.rules.common import MANAGE, PostedDep
from app.web.rules.forms import Sheet, shown
from disputes.actions.policies import PolicyMoved
from disputes.clocks import LevelRule
from disputes.rulebook import BadPolicy, read
from disputes.rules_in_force import ONLY, SERVICE_LEVELS, service_levels

router = APIRouter(dependencies=MANAGE)
PAGE = "/rules/service-levels"


@router.get(PAGE)
def show(desk: DeskDep, version: str = "", saved: int | None = None) -> Response:
    """The levels in force, or an older version."""
    one = service_levels(desk.session)
    content = common.older(desk, SERVICE_LEVELS, ONLY, version) if version else one.rules
    sheet = Sheet(_for_form(content.model_dump(mode="json")))
    return _page(desk, sheet, version=one.version, opened=version, saved=saved)


@router.post(f"{PAGE}/versions")
def save(desk: DeskDep, form: PostedDep) -> Response:
    """A new version, in force for every promise made from now on."""
    try:
        common.keep(desk, form, family=SERVICE_LEVELS, key=ONLY, content=_from_form(form.content))
    except BadPolicy as refused:
        sheet = Sheet(form.content, refused.fields)
        return _page(desk, sheet, version=form.based_on or 0, note=form.note, status=422)
    except PolicyMoved:
        version = service_levels(desk.session).version
        return _page(desk, Sheet(form.content), version=version, note=form.note, moved=True, status=409)
    return desk.done(f"{PAGE}?saved=0")


def _for_form(content: Mapping[str, Any]) -> dict[str, Any]:
    """The share of time after which a warning comes is a percentage to people."""
    found = shown(content)
    share = Decimal(str(found.pop("warn_at", 0)))
    return {**found, "warn_percent": f"{share * 100:f}".rstrip("0").rstrip(".")}


def _from_form(content: Mapping[str, Any]) -> dict[str, Any]:
    """Back from the percentage; what is no number stays, for the rules to refuse."""
    percent = str(content.get("warn_percent", ""))
    kept = {name: value for name, value in content.items() if name != "warn_percent"}
    try:
        return {**kept, "warn_at": str(Decimal(percent) / 100)} if percent else kept
    except InvalidOperation:
        return {**kept, "warn_at": percent}


def _page(
    desk: Desk,
    sheet: Sheet,
    *,
    version: int,
    note: str = "",
    opened: str = "",
    saved: int | None = None,
    moved: bool = False,
    status: int = 200,
) -> Response:
    return common.page(
        desk,
        "rules/levels.html",
        status=status,
        family=SERVICE_LEVELS,
        key=ONLY,
        version=version,
        sheet=sheet,
        rules=[(f"r{number}", row, _rule(row.content)) for number, row in enumerate(sheet.rows("rules"))],
        blank=Sheet({}),
        note=note,
        opened=opened,
        saved=saved,
        moved=moved,
        choices=common.choices(desk),
        history=common.history(desk, family=SERVICE_LEVELS, key=ONLY),
        shipped=True,
    )


def _rule(content: Mapping[str, Any]) -> LevelRule | None:
    try:
        return read(LevelRule, content, what="The rule")
    except BadPolicy:
        return None
