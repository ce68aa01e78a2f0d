"""How the disputed money of a case moves, and who approved giving some back."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Amount, Base, BigId


class DisputeMovement(Base):
    """One movement of disputed money: conserved per case and invoice (product.md, Words).

    `kind`: disputed (more), credited, paid, written_off, withdrawn (each less). Amounts are positive, in the
    invoice's currency. `source` names what caused it ("payment:12", "credit_note:AV26-301", "message:7") and makes a
    repeated ERP push harmless.
    """

    __tablename__ = "dispute_movements"
    __table_args__ = (UniqueConstraint("case_id", "invoice_id", "kind", "source"), Index(None, "invoice_id"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    case_id: Mapped[int] = mapped_column(BigId, ForeignKey("cases.id"))
    invoice_id: Mapped[int] = mapped_column(BigId, ForeignKey("invoices.id"))
    kind: Mapped[str] = mapped_column(String(12))
    amount: Mapped[Decimal] = mapped_column(Amount)
    source: Mapped[str] = mapped_column(String(120))
    actor: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime]


class Approval(Base):
    """A person's yes or no to a credit; above the limit two different people are needed."""

    __tablename__ = "approvals"

    task_id: Mapped[int] = mapped_column(BigId, ForeignKey("tasks.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id"), primary_key=True)
    approved: Mapped[bool]
    note: Mapped[str] = mapped_column(String(300), default="")
    at: Mapped[datetime]
