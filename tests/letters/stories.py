"""A customer in arrears and a run over them, for dated stories about letters."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.auth import User
from app.core.events import Event, system, user_actor
from disputes.models import Outgoing
from disputes.reply_tokens import ReplyTokens
from invoices.models import Account, Entity, Invoice
from letters.actions import drafting, life, runs
from letters.models import Letter, PrintRun, Run, RunItem
from letters.rules import letter_rules
from tests.factories import a_user, an_account, an_entity, an_invoice

TOKENS = ReplyTokens(b"k" * 32)
LIMIT = Decimal(10_000)
ACTOR = system("letters")
ADDRESS = "12 rue des Lilas\n75011 Paris"


def march(day: int, hour: int = 9) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


@dataclass
class Arrears:
    """Boulangerie Keller owes 1,200.00 since 1 February; Ana writes letters, Lea leads."""

    session: Session
    entity: Entity
    account: Account
    invoice: Invoice
    ana: User
    lea: User

    def run(self, at: datetime, *, started: bool = True) -> int:
        """A run looked through, and written to its end."""
        session, actor, rules = self.session, user_actor(self.ana.id), letter_rules(self.session)
        run = runs.begin(session, entity_id=self.entity.id, name="", actor=actor, now=at)
        while runs.look(session, run_id=run.id, rules=rules, actor=ACTOR, now=at):
            pass
        if started and runs.count_of(session, run.id, "included"):
            runs.start(session, run_id=run.id, actor=actor, now=at)
            while runs.write_next(session, run_id=run.id, rules=rules, now=at):
                pass
        elif started:
            runs.cancel(session, run_id=run.id, actor=actor, now=at)
        return run.id

    def items(self, run_id: int) -> dict[str, str]:
        """What became of each account of a run: state and code."""
        found = self.session.scalars(select(RunItem).where(RunItem.run_id == run_id)).all()
        names = {one.id: one.name for one in self.session.scalars(select(Account))}
        return {names[one.account_id]: " ".join(filter(None, (one.state, one.code))) for one in found}

    def letters(self) -> list[Letter]:
        return list(self.session.scalars(select(Letter).order_by(Letter.id)))

    def letter(self) -> Letter:
        """The newest one."""
        return self.letters()[-1]

    def printed(self, at: datetime) -> None:
        """As the job does, with a hash in place of a PDF."""
        for one in drafting.to_print(self.session, limit=50):
            drafting.printed(
                self.session,
                to_print=one,
                title=one.page().title,
                content_hash=sha256(one.facts.encode()).hexdigest(),
                pages=1,
                limit=LIMIT,
                actor=ACTOR,
                now=at,
            )

    def approve(self, at: datetime) -> None:
        life.approve(
            self.session, letter_id=self.letter().id, user=self.lea, limit=LIMIT, actor=user_actor(self.lea.id), now=at
        )

    def queue(self, at: datetime) -> Outgoing | None:
        return life.queue(self.session, letter_id=self.letter().id, tokens=TOKENS, now=at)

    def events(self, verb: str) -> list[Mapping[str, Any]]:
        found = select(Event).where(Event.subject == "letter", Event.verb == verb).order_by(Event.id)
        return [event.after or {} for event in self.session.scalars(found)]


def in_arrears(session: Session) -> Arrears:
    entity = an_entity(session)
    account = an_account(session, entity, name="Boulangerie Keller", address=ADDRESS)
    invoice = an_invoice(session, account, number="F1", due=date(2026, 2, 1))
    ana = a_user(session, now=march(2))
    lea = a_user(session, "Lea Roth", now=march(2), role="lead")
    return Arrears(session, entity, account, invoice, ana, lea)


def letter_rows(session: Session, account: Account, *, now: datetime) -> Letter:
    """A letter of a run that is on its way to the print shop, as rows alone."""
    by: dict[str, Any] = {"entity_id": account.entity_id, "created_by": "user:1", "created_at": now}
    run = Run(name="March", day=now.date(), state="ready", totals={}, **by)
    made = PrintRun(letters=1, pages=1, content_hash="0" * 64, manifest_hash="0" * 64, **by)
    session.add_all([run, made])
    session.flush()
    letter = Letter(
        subject=f"account:{account.id}", step="rappel", cycle=0, kind="reminder_1", language="fr",
        entity_id=account.entity_id, account_id=account.id, run_id=run.id, print_id=made.id, state="queued",
        day=now.date(), channel="post", facts="{}", drafted_by="user:1", drafted_at=now,
    )  # fmt: skip
    session.add(letter)
    session.flush()
    return letter
