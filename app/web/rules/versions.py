"""Going back to an older version of rules, or to those that ship."""

from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Form, Response

from app.edge import require
from app.web.case_actions import ActionForm
from app.web.desk import DeskDep
from app.web.flash import Flash
from app.web.rules import common
from app.web.rules.common import MANAGE, SHIPPED, NoVersion
from disputes.actions import policies
from disputes.customer_mail import FAMILY as WORDING
from disputes.queries import policies as queries
from disputes.rules_in_force import CODES, ONLY, OWN_REASONS, PLAYBOOK, ROUTING, SERVICE_LEVELS, playbooks
from disputes.rules_in_force import FAMILIES as OF_CASES
from letters.rules import ASSIGNMENTS, FAMILIES, LETTERHEAD, PROCEDURE, TEXT, check_assigned

router = APIRouter(dependencies=MANAGE)


class KeyForm(ActionForm):
    """Which rules the version is of."""

    family: str
    key: str


@router.post("/rules/versions/{version}/activation")
def activate(desk: DeskDep, version: str, form: Annotated[KeyForm, Form()]) -> Response:
    """The version is in force again as it is; cases on their way follow."""
    if form.family not in {*OF_CASES, *FAMILIES}:  # what the program learned is put back on a page of its own
        raise NoVersion("There are no such rules")
    if form.family in {OWN_REASONS, CODES}:
        require("manage reasons")(desk.user)
    if version == SHIPPED:
        with suppress(policies.NoPolicy):  # in force already: a second click
            policies.drop(desk.session, family=form.family, key=form.key, actor=desk.actor, now=desk.now)
    else:
        of_key = queries.versions(desk.session, family=form.family, key=form.key)
        found = next((one.policy_id for one in of_key if str(one.policy_id) == version), None)
        if found is None:
            raise NoVersion("These rules have no such version")
        read = common.reader(form.family, form.key)
        policies.activate(desk.session, policy_id=found, actor=desk.actor, now=desk.now, read=read)
    if form.family in FAMILIES:
        check_assigned(desk.session)
    if form.family == PLAYBOOK:
        saved = common.timed_again(desk, form.key)
        stopped = form.key not in playbooks(desk.session)
        return (
            desk.done("/rules/playbooks", Flash("saved")) if stopped else desk.done(_page_of(PLAYBOOK, form.key, saved))
        )
    in_use = version != SHIPPED or common.shipped_rules(form.family, form.key) is not None
    return desk.done(_page_of(form.family, form.key, in_use=in_use), Flash("saved"))


def _page_of(family: str, key: str, saved: int = 0, *, in_use: bool = True) -> str:
    """Where rules of a family are shown."""
    kind, _, rest = key.partition("/")
    language, _, entity = rest.partition("/")
    return {
        ASSIGNMENTS: "/rules/reminders-for",
        PROCEDURE: f"/rules/reminders/{key}" if in_use else "/rules/reminders",
        PLAYBOOK: f"/rules/playbooks/{key}?saved={saved}",
        ROUTING: "/rules/routing",
        SERVICE_LEVELS: "/rules/service-levels",
        OWN_REASONS: "/rules/reasons",
        CODES: "/rules/reasons" if key == ONLY else f"/rules/reasons?entity={key}",
        WORDING: f"/rules/wordings/{kind}/{language}?entity={entity}",
        LETTERHEAD: "/letter-rules",
        TEXT: f"/letter-rules/texts/{kind}/{language}?entity={entity}",
    }.get(family, "/rules")
