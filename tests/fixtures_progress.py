"""A case on a playbook, for dated stories: what the sweep does to it at which moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.events import Event, system, user_actor
from disputes.actions import planning, policies, progress, sent
from disputes.clock_events import Happened
from disputes.models import Case, CaseStep, Outgoing, Task
from disputes.reply_tokens import ReplyTokens
from disputes.rules_in_force import PLAYBOOK
from invoices.models import Account, Entity, Invoice
from tests.factories import (
    a_case,
    a_message,
    an_account,
    an_entity,
    an_invoice,
    in_case,
)

TOKENS = ReplyTokens(b"k" * 32)
ANA = user_actor(7)
LETTER = {"id": "letter", "action": "letter", "after": {"days": 1}}
STATUS = {"id": "tell_status", "action": "tell_status", "after": {"days": 1}, "template": "status"}
CLOSE = {"id": "close", "action": "close", "counted_from": "resolved", "after": {"days": 1}}


def march(day: int, hour: int = 9) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


@dataclass
class Story:
    """A case of Claire's about an overdue invoice of 1,200.00, of which 200.00 are disputed; it waits on her."""

    session: Session
    entity: Entity
    account: Account
    invoice: Invoice
    case: Case

    def sweep(self, at: datetime) -> None:
        """All that is due then happens."""
        for _ in range(30):
            if not progress.take_due(self.session, now=at, tokens=TOKENS):
                break
        else:
            pytest.fail("the sweep finds no end")
        self.session.refresh(self.case)

    def steps(self) -> list[str]:
        """What became of the steps: "letter refused disputed"."""
        rows = self.session.scalars(select(CaseStep).where(CaseStep.case_id == self.case.id)).all()
        ordered = sorted(rows, key=lambda row: (row.at, row.step, row.cycle))
        return [" ".join(filter(None, (row.step, row.state, row.guard))) for row in ordered]

    def step(self, name: str, cycle: int = 0) -> CaseStep:
        return self.session.get_one(CaseStep, (self.case.id, name, cycle), populate_existing=True)

    def mails(self) -> list[str]:
        return list(self.session.scalars(select(Outgoing.kind).order_by(Outgoing.id)))

    def open_tasks(self) -> list[str]:
        """Kinds of open tasks, those of broken promises (test_clock_rows.py) left out."""
        ours = (Task.case_id == self.case.id, Task.state == "open", Task.dedupe_key.not_like("escalation:%"))
        return list(self.session.scalars(select(Task.kind).where(*ours).order_by(Task.id)))

    def letter(self) -> Mapping[str, Any]:
        """What the task to write a letter says."""
        return self.session.scalars(select(Task).where(Task.kind == "letter")).one().payload

    def events(self, verb: str) -> list[Mapping[str, Any]]:
        found = select(Event).where(Event.case_id == self.case.id, Event.verb == verb).order_by(Event.id)
        return [event.after or {} for event in self.session.scalars(found)]

    def leaves(self, kind: str, at: datetime) -> None:
        """The outbox sends the mail of that kind that waits."""
        mail = self.session.scalars(select(Outgoing).where(Outgoing.kind == kind, Outgoing.state == "queued")).one()
        mail.state, mail.sent_at = "sent", at
        sent.went_out(self.session, mail=mail, actor=system("outbox"), now=at)

    def begin(self, *steps: Mapping[str, Any]) -> None:
        """The case is opened on the 2nd, under a playbook of these steps where any are given."""
        if steps:
            self.save(*steps, at=march(2))
        planning.heard(self.session, case=self.case, what=Happened.OPENED, actor=ANA, now=march(2))

    def save(self, *steps: Mapping[str, Any], at: datetime) -> int:
        """Our own playbook for disputes; gives its version's id."""
        content = {"name": "Ours", "when": {"kind": "dispute"}, "steps": list(steps)}
        return policies.save(self.session, family=PLAYBOOK, key="dispute", content=content, actor=ANA, now=at).id


@pytest.fixture
def story(session: Session) -> Story:
    entity = an_entity(session)
    account = an_account(session, entity)
    account.contacts[0].email = "claire@customer.example"
    invoice = an_invoice(session, account)
    case = a_case(
        session, account, now=march(2), next_step=None, due_at=None, opened_at=march(2), state="waiting",
        waiting_on="customer", waiting_since=march(2),
    )  # fmt: skip
    a_message(session, case, now=march(2) + timedelta(hours=2))
    in_case(session, case, invoice, now=march(2), disputed=Decimal(200))
    return Story(session, entity, account, invoice, case)


def ours(story: Story) -> Story:
    """The case waits on us."""
    story.case.state, story.case.waiting_on, story.case.waiting_since = "in_progress", "us", None
    return story
