"""What the pages of rules share: who may see them, the form as it came, versions with what each changed."""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import select

from app.auth import Team
from app.core.errors import NotFound
from app.edge import require
from app.web.desk import Desk
from app.web.rules import names
from app.web.rules.forms import content_of
from disputes import clocks, customer_mail, playbook, routing_rules
from disputes.acknowledgement import as_template
from disputes.actions import policies
from disputes.actions.retiming import retime_all
from disputes.codes import Codes
from disputes.customer_mail import Wording
from disputes.own_reasons import OwnReasons
from disputes.queries.policies import Version, versions
from disputes.rule_changes import Changed, changes
from disputes.rulebook import BadPolicy, Rules
from disputes.rules_in_force import CODES, OWN_REASONS, PLAYBOOK, ROUTING, SERVICE_LEVELS, rules_of
from invoices.models import Entity
from letters import procedure
from letters import rules as letter_rules
from letters.wording import shipped as shipped_letter

MANAGE = [Depends(require("manage rules"))]
"""Leads and administrators; others get the usual answer."""
SHIPPED = "shipped"
"""In place of a version's id: the rules that come with the program."""
MOST_FIELDS = 20_000
LONGEST_NOTE = 300


class NoVersion(NotFound):
    """These rules have no such version."""


async def posted(request: Request) -> tuple[tuple[str, str], ...]:
    """The fields of a form whose names are not known beforehand, in the order of the page."""
    form = await request.form(max_fields=MOST_FIELDS, max_files=0)
    return tuple((name, value) for name, value in form.multi_items() if isinstance(value, str))


@dataclass(frozen=True, slots=True)
class Posted:
    """A rules form: content, why it is changed, and the version the change began from (None: not said)."""

    content: dict[str, Any]
    note: str
    based_on: int | None


def read_form(items: Annotated[tuple[tuple[str, str], ...], Depends(posted)]) -> Posted:
    """The form's parts. Raises BadForm for fields that are none of ours."""
    about = {name: value for name, value in items if name in {"note", "based_on"}}
    return Posted(
        content_of(item for item in items if item[0] not in about),
        about.get("note", "").strip()[:LONGEST_NOTE],
        version_of(about.get("based_on", "")),
    )


def version_of(typed: str) -> int | None:
    """The version a change began from, as a form says it; None where it says none."""
    return int(typed) if typed.isdecimal() and len(typed) < 9 else None  # noqa: PLR2004 - versions are small


def key_of(name: str) -> str:
    """The key a new one's name gives; "" where it gives none."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    made = "_".join("".join(char if char.isalnum() else " " for char in plain).split())[:60]
    return made if made[:1].isalpha() else ""


PostedDep = Annotated[Posted, Depends(read_form)]


@dataclass(frozen=True, slots=True)
class Choices:
    """What conditions and routing may name: entities and teams, by code and name."""

    entities: tuple[tuple[str, str], ...]
    teams: tuple[tuple[str, str], ...]


def choices(desk: Desk) -> Choices:
    """Two queries."""
    entities = desk.session.execute(select(Entity.code, Entity.name).order_by(Entity.code))
    teams = desk.session.execute(select(Team.key, Team.name).order_by(Team.key))
    return Choices(
        tuple((code, f"{code} {name}") for code, name in entities), tuple((key, name) for key, name in teams)
    )


@dataclass(frozen=True, slots=True)
class Edition:
    """One version in the history; `changed` against the one before, None where today's program cannot read it."""

    version: Version
    changed: tuple[Changed, ...] | None


def history(desk: Desk, *, family: str, key: str) -> tuple[Edition, ...]:
    """All versions, the newest first, each with what it changed. Two queries."""
    found, shipped = versions(desk.session, family=family, key=key), shipped_rules(family, key)
    older: list[Rules | None] = [*(_readable(family, key, one.content) for one in found[1:]), shipped]
    return tuple(Edition(one, _difference(family, one, old)) for one, old in zip(found, older, strict=False))


def shipped_rules(family: str, key: str) -> Rules | None:
    """What the program ships for a key; None for a key of the deployment's own."""
    found: Mapping[str, Callable[[], Rules | None]] = {
        PLAYBOOK: lambda: playbook.default_playbooks().get(key),
        ROUTING: routing_rules.default_routing,
        SERVICE_LEVELS: clocks.default_levels,
        OWN_REASONS: OwnReasons,
        CODES: Codes,
        customer_mail.FAMILY: lambda: shipped_wording(*key.split("/")[:2]),
        letter_rules.PROCEDURE: lambda: procedure.shipped().get(key),
        letter_rules.ASSIGNMENTS: letter_rules.Assignments,
        letter_rules.TEXT: lambda: shipped_letter(*key.split("/")[:2]),
        letter_rules.LETTERHEAD: lambda: None,
    }
    return found[family]()


def reader(family: str, key: str) -> policies.Reader | None:
    """What reads rules of a family of letters; None for one that belongs to cases."""
    return letter_rules.reader_of(family, key) if family in letter_rules.FAMILIES else None


def older(desk: Desk, family: str, key: str, version: str) -> Rules:
    """An older version's rules by its policy's id, or those that ship. Raises NoVersion; BadPolicy if unreadable."""
    shipped = shipped_rules(family, key)
    if version == SHIPPED and shipped is not None:
        return shipped
    found = versions(desk.session, family=family, key=key)
    content = next((one.content for one in found if str(one.policy_id) == version), None)
    if content is None:
        raise NoVersion(f"There is no such version of {key}")
    return _read(family, key, content)


def keep(desk: Desk, form: Posted, *, family: str, key: str, content: Mapping[str, Any]) -> None:
    """Save a new version, in force at once. Raises BadPolicy; PolicyMoved when somebody else saved meanwhile."""
    policies.save(
        desk.session,
        family=family,
        key=key,
        content=content,
        note=form.note,
        based_on=form.based_on,
        actor=desk.actor,
        now=desk.now,
        read=reader(family, key),
    )


def timed_again(desk: Desk, key: str) -> int:
    """After another version of a playbook came into force: how many cases on their way have another due time."""
    return retime_all(desk.session, key=key, actor=desk.actor, now=desk.now)


def page(desk: Desk, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """A page of rules: with the names of their parts."""
    return desk.page(template, status=status, names=names, clocks=clocks.KINDS, **context)


def shipped_wording(kind: str, language: str) -> Wording:
    """The words that ship for a mail; the acknowledgement's as a template."""
    if kind in customer_mail.KINDS:
        return customer_mail.shipped(kind, language)
    subject, body = as_template(language)
    return Wording(subject=subject, body=body)


def _difference(family: str, version: Version, old: Rules | None) -> tuple[Changed, ...] | None:
    new = _readable(family, version.key, version.content)
    if new is None:
        return None
    return changes(old, new) if old is not None else ()


def _readable(family: str, key: str, content: Mapping[str, Any]) -> Rules | None:
    try:
        return _read(family, key, content)
    except BadPolicy:
        return None


def _read(family: str, key: str, content: Mapping[str, Any]) -> Rules:
    found = reader(family, key)
    return found(content) if found is not None else rules_of(family, content)
