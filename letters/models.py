"""Letters as they are kept: each with what it was made from, the runs that wrote them, and the print runs."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.core.db import Base, BigId
from disputes.models import Case, Outgoing
from invoices.models import Account, Entity

WAITING = frozenset({"drafted", "checked", "approved", "queued"})
"""States of a letter that has not left: an account has one such reminder at most."""
GONE_OUT = frozenset({"sent", "delivered", "answered", "uncertain"})
"""States that count as having been reminded: a bounced letter reached nobody, and is no level climbed."""


class Letter(Base):
    """One letter. `subject` ("account:7", "case:12") with `step` and `cycle` is its identity: a second one cannot be.

    `state`: drafted (decided on, not printed), checked (printed; waits for approval), approved, queued (in the outbox
    or at the print shop), sent, delivered, bounced, answered, uncertain (perhaps sent: a person decides), cancelled.

    `facts` is letters.letter_facts.LetterFacts as JSON, `text` the template as it was: with them the letter can be made
    again. `asked` are the items with their positions in the procedure (letters.dunning.Asked) and `totals` what is
    asked for by currency, both as text. `approval`: who must look at it, nobody, agent or lead. `policy_id` is the
    procedure it was decided by, `template_id` the text's version; None for what ships. `content_hash` is the PDF's
    place in the blob store. `fault` says why there is no PDF, `why` why it was cancelled or came back.
    """

    __tablename__ = "letters"
    __table_args__ = (
        UniqueConstraint("subject", "step", "cycle"),
        Index(None, "state", "id"),
        Index(None, "account_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    subject: Mapped[str] = mapped_column(String(40))
    step: Mapped[str] = mapped_column(String(60))
    cycle: Mapped[int]
    kind: Mapped[str] = mapped_column(String(30))
    language: Mapped[str] = mapped_column(String(5))
    entity_id: Mapped[int] = mapped_column(BigId, ForeignKey("entities.id"), index=True)
    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id"))
    case_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("cases.id"), index=True)
    run_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("letter_runs.id"), index=True)
    print_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("letter_prints.id"), index=True)
    outbox_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("outbox.id"), index=True)
    state: Mapped[str] = mapped_column(String(12), default="drafted")
    day: Mapped[date]
    channel: Mapped[str] = mapped_column(String(12))
    email: Mapped[str] = mapped_column(String(320), default="")
    procedure: Mapped[str] = mapped_column(String(80), default="")
    policy_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("policies.id"))
    template_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("policies.id"))
    asked: Mapped[list[Any]] = mapped_column(default=list)
    totals: Mapped[dict[str, Any]] = mapped_column(default=dict)
    facts: Mapped[str] = mapped_column(Text)
    text: Mapped[dict[str, Any]] = mapped_column(default=dict)
    title: Mapped[str] = mapped_column(String(600), default="")
    content_hash: Mapped[str | None] = mapped_column(String(64))
    pages: Mapped[int] = mapped_column(default=0)
    fault: Mapped[str] = mapped_column(Text, default="")
    why: Mapped[str] = mapped_column(Text, default="")
    approval: Mapped[str] = mapped_column(String(8), default="agent")
    drafted_by: Mapped[str] = mapped_column(String(80))
    drafted_at: Mapped[datetime]
    approved_by: Mapped[str | None] = mapped_column(String(80))
    approved_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    account: Mapped[Account] = relationship(lazy="raise")
    entity: Mapped[Entity] = relationship(lazy="raise")
    case: Mapped[Case | None] = relationship(lazy="raise")
    outgoing: Mapped[Outgoing | None] = relationship(lazy="raise")


class Run(Base):
    """A run over the accounts of an entity: looked through first, started by a person, cancelled at any moment.

    `state`: looking (`cursor` is the last account looked at), ready, running, done, cancelled. `totals` are counts and
    sums by currency of what was found.
    """

    __tablename__ = "letter_runs"
    __table_args__ = (Index(None, "state"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    entity_id: Mapped[int] = mapped_column(BigId, ForeignKey("entities.id"), index=True)
    day: Mapped[date]
    state: Mapped[str] = mapped_column(String(12), default="looking")
    cursor: Mapped[int] = mapped_column(BigId, default=0)
    looked_at: Mapped[int] = mapped_column(default=0)
    totals: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_by: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    entity: Mapped[Entity] = relationship(lazy="raise")


class RunItem(Base):
    """One account of a run. `state`: included, excluded (by a person), exception (a guard, with `code`), written,
    stopped (what was true in the preview is not any more).
    """

    __tablename__ = "letter_run_items"
    __table_args__ = (Index(None, "run_id", "state"),)

    run_id: Mapped[int] = mapped_column(BigId, ForeignKey("letter_runs.id"), primary_key=True)
    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id"), primary_key=True)
    state: Mapped[str] = mapped_column(String(12))
    code: Mapped[str] = mapped_column(String(20), default="")
    why: Mapped[str] = mapped_column(Text, default="")
    step: Mapped[str] = mapped_column(String(60), default="")
    kind: Mapped[str] = mapped_column(String(30), default="")
    channel: Mapped[str] = mapped_column(String(12), default="")
    totals: Mapped[dict[str, Any]] = mapped_column(default=dict)
    letter_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("letters.id"))

    account: Mapped[Account] = relationship(lazy="raise")


class PrintRun(Base):
    """Letters for the print shop: one PDF of all of them and a list in the same order. `state`: made, handed_over."""

    __tablename__ = "letter_prints"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    entity_id: Mapped[int] = mapped_column(BigId, ForeignKey("entities.id"), index=True)
    state: Mapped[str] = mapped_column(String(12), default="made")
    letters: Mapped[int]
    pages: Mapped[int]
    content_hash: Mapped[str] = mapped_column(String(64))
    manifest_hash: Mapped[str] = mapped_column(String(64))
    created_by: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime]
    handed_over_by: Mapped[str | None] = mapped_column(String(80))
    handed_over_at: Mapped[datetime | None]


class LetterBlock(Base):
    """An account that gets no reminders, until a day or until somebody lifts it."""

    __tablename__ = "letter_blocks"

    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id"), primary_key=True)
    reason: Mapped[str] = mapped_column(String(300))
    until: Mapped[date | None]
    by: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime]
