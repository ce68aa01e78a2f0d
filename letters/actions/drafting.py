"""Writing down a letter that was decided on, once its key; printing it; changing its words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, get_args

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.core.errors import BadInput, DomainError
from app.core.events import Actor
from disputes.actions.shared import change
from letters import dunning
from letters.actions.shared import letter_for_change, move, told
from letters.approvals import needed
from letters.compose import compose
from letters.letter_facts import LetterFacts
from letters.models import Letter
from letters.page import Page
from letters.planning import Planned, asked_as_kept, reminder_facts
from letters.procedure import Channel
from letters.rules import LetterRules
from letters.wording import Template, read_template

EDITABLE = frozenset({"drafted", "checked", "approved"})


class NotDrafted(BadInput):
    """The facts make no letter; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a letter comes from: its identity's subject and step, its run or case, and who signs."""

    subject: str
    step: str
    cycle: int
    signer: str
    run_id: int | None = None
    case_id: int | None = None


def draft(
    session: Session,
    *,
    planned: Planned,
    letter: dunning.Letter,
    origin: Origin,
    rules: LetterRules,
    actor: Actor,
    now: datetime,
) -> Letter | None:
    """A letter to be printed and looked at; None where one of its key stands already. Raises NotDrafted."""
    made = _made(planned, letter, origin, rules, actor=actor, now=now)
    try:
        with session.begin_nested():
            session.add(made)
    except IntegrityError:
        return None
    try:
        facts = reminder_facts(
            planned,
            letter,
            rules,
            signer=origin.signer,
            reference=f"L{made.id:06d}",
            case_number=str(origin.case_id or ""),
        )
    except (ValidationError, DomainError) as error:
        session.delete(made)
        session.flush()
        raise NotDrafted(f"{planned.owing.account.number}: {_words(error)}") from error
    text = rules.text(facts.kind, facts.language, planned.owing.account.entity.code)
    made.facts, made.text, made.template_id = facts.as_json(), text.rules.model_dump(), text.policy_id
    made.language, made.totals = facts.language, {currency: str(one) for currency, one in facts.totals.items()}
    told(session, made, verb="letter drafted", actor=actor, now=now, after=_named(made))
    return made


def _made(
    planned: Planned, letter: dunning.Letter, origin: Origin, rules: LetterRules, *, actor: Actor, now: datetime
) -> Letter:
    account = planned.owing.account
    in_force = rules.procedures.get(planned.chosen.key)
    return Letter(
        subject=origin.subject,
        step=origin.step,
        cycle=origin.cycle,
        kind=letter.level.kind,
        language="en",
        entity_id=account.entity_id,
        account_id=account.id,
        case_id=origin.case_id,
        run_id=origin.run_id,
        day=planned.owing.today,
        channel=letter.channel,
        email=planned.owing.email,
        procedure=planned.chosen.key,
        policy_id=in_force.policy_id if in_force else None,
        asked=asked_as_kept(letter.asked),
        facts="",
        approval=letter.level.approval,
        drafted_by=actor.name,
        drafted_at=now,
    )


def _named(letter: Letter) -> dict[str, Any]:
    return {"kind": letter.kind, "account_id": letter.account_id, "totals": letter.totals, "channel": letter.channel}


def _words(error: ValidationError | DomainError) -> str:
    if isinstance(error, DomainError):
        return error.message
    return "; ".join(str(one["msg"]).removeprefix("Value error, ") for one in error.errors(include_url=False))


# --- printing


@dataclass(frozen=True, slots=True)
class ToPrint:
    """A letter as it is to be printed; `version` tells whether it was changed meanwhile."""

    letter_id: int
    version: int
    facts: str
    text: Mapping[str, Any]

    def page(self) -> Page:
        """Its page. Raises CannotCompose, BadTemplate, BadPolicy in words."""
        facts = LetterFacts.from_json(self.facts)
        return compose(facts, text_of(facts, self.text))


def text_of(facts: LetterFacts, text: Mapping[str, Any]) -> Template:
    """The text a letter keeps, checked."""
    kept = {name: value for name, value in text.items() if name not in {"kind", "language"}}
    return read_template(facts.kind, facts.language, kept)


def to_print(session: Session, *, limit: int) -> list[ToPrint]:
    """Letters that have no PDF yet, oldest first."""
    wanted = select(Letter).where(Letter.state == "drafted", Letter.content_hash.is_(None), Letter.fault == "")
    rows: Sequence[Letter] = session.scalars(wanted.order_by(Letter.id).limit(limit)).all()
    return [ToPrint(one.id, one.version, one.facts, one.text) for one in rows]


def printed(
    session: Session,
    *,
    to_print: ToPrint,
    title: str,
    content_hash: str,
    pages: int,
    limit: Decimal,
    actor: Actor,
    now: datetime,
) -> None:
    """The PDF is in the blob store; who must look at it does, and a letter for nobody's eyes is approved."""
    letter = session.get(Letter, to_print.letter_id, with_for_update=True, populate_existing=True)
    if letter is None or letter.version != to_print.version or letter.state != "drafted":
        return
    values = {"content_hash": content_hash, "pages": pages, "title": title[:600], "fault": ""}
    move(session, letter, verb="letter printed", actor=actor, now=now, state="checked", **values)
    if needed(letter, limit=limit) == "nobody":
        who = {"approved_by": actor.name, "approved_at": now}
        move(session, letter, verb="letter approved", actor=actor, now=now, state="approved", **who)


def not_printed(session: Session, *, to_print: ToPrint, fault: str, actor: Actor, now: datetime) -> None:
    """Why there is no PDF; a person puts it right and has it printed again."""
    letter = session.get(Letter, to_print.letter_id, with_for_update=True, populate_existing=True)
    if letter is not None and letter.version == to_print.version and letter.state == "drafted":
        move(session, letter, verb="letter cannot be printed", actor=actor, now=now, fault=fault[:2000])


# --- changing its words


def edit(
    session: Session,
    *,
    letter_id: int,
    subject: str,
    body: str,
    note: str,
    channel: str,
    version: int,
    actor: Actor,
    now: datetime,
) -> Letter:
    """This letter's own words and way; it is printed anew and looked at again.

    Raises BadTemplate or BadPolicy for words that cannot be used, LetterMoved for one that left or was changed.
    """
    letter = letter_for_change(session, letter_id, EDITABLE)
    if letter.version != version:
        raise BadInput("Somebody changed this letter meanwhile: look at it again")
    if channel not in get_args(Channel):
        raise BadInput(f"A letter goes by {', '.join(get_args(Channel))}, not by {channel!r}")
    facts = LetterFacts.from_json(letter.facts)
    text = text_of(facts, {**letter.text, "subject": subject, "body": body.replace("\r\n", "\n")})
    facts = facts.model_copy(update={"note": note.replace("\r\n", "\n").strip()[:5000], "by_post": channel != "email"})
    values = {"facts": facts.as_json(), "text": text.model_dump(), "channel": channel}
    changed = [name for name, value in values.items() if getattr(letter, name) != value]
    if changed or letter.fault:
        before = {"state": letter.state}
        fresh = {"state": "drafted", "content_hash": None, "fault": "", "approved_by": None, "approved_at": None}
        change(letter, **values, **fresh, version=letter.version + 1)
        told(session, letter, verb="letter edited", actor=actor, now=now, before=before, after={"changed": changed})
    return letter
