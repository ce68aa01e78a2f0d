"""The disputed money of cases as rows: each movement is kept, CaseInvoice.disputed is what they leave in dispute (S25).

Every change of disputed money goes through here and through the pure rules of disputes/dispute_money.py.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, bindparam, func, select
from sqlalchemy.orm import Session

from app.core.db import one_at_a_time
from app.core.errors import NotFound
from app.core.events import Actor, record
from app.core.money import rounded
from disputes.actions import writeback
from disputes.actions.shared import case_for_change, touch
from disputes.casework import disputed_amount
from disputes.dispute_money import Claim, Movement, MovementKind, NotPossible, Tally, apply, moved, room_of, tally
from disputes.models import Case, CaseInvoice, DisputeMovement
from disputes.reasons import DISPUTE
from invoices.models import Invoice

ZERO = Decimal(0)
BY_HAND = "by hand"
"""How the source of an amount begins that a person set: it stands when the case turns from dispute to query."""
GIVEN_BACK, TAKEN_UP = "settled", "reopened"
"""How the sources begin of what is given up at a case's end, and taken up again when it is reopened."""
_ENDED = frozenset({"resolved", "closed", "merged"})


class NotInCase(NotFound):
    """The case is not about that invoice."""


def tallies(session: Session, *, case_id: int) -> dict[int, Tally]:
    """The disputed money of a case by invoice id, rows from before movements were kept counted as disputed."""
    rows = session.scalars(select(CaseInvoice).where(CaseInvoice.case_id == case_id)).all()
    return {row.invoice_id: _standing(session, row) for row in rows}


def claims(session: Session, *, invoice_id: int) -> list[Claim]:
    """What is in dispute of an invoice, over all cases, the oldest first."""
    found = session.execute(_CLAIMS, {"invoice_id": invoice_id})
    return [Claim(case_id, reason, disputed) for case_id, reason, disputed in found]


_CLAIMS = (
    select(CaseInvoice.case_id, Case.reason, CaseInvoice.disputed)
    .join(Case, Case.id == CaseInvoice.case_id)
    .where(CaseInvoice.invoice_id == bindparam("invoice_id"), CaseInvoice.disputed > 0)
    .order_by(Case.opened_at, Case.id)
)


def open_of(session: Session, *, invoice: Invoice) -> Decimal:
    """What is open of an invoice, less the credit notes for it that are not yet set against it."""
    waiting = session.scalar(_CREDITS, {"entity_id": invoice.entity_id, "number": invoice.number})
    return max(invoice.open_amount + (waiting or ZERO), ZERO)


_CREDITS = select(func.sum(Invoice.open_amount)).where(
    Invoice.entity_id == bindparam("entity_id"),
    Invoice.kind == "credit_note",
    Invoice.credits == bindparam("number"),
)


def lock(session: Session, *, account_id: int | None) -> None:
    """One at a time decides about an account's disputed money. Taken after the rows of its cases, never before."""
    one_at_a_time(session, f"disputed:{account_id}")


def joined(session: Session, *, case: Case, rows: Iterable[CaseInvoice], actor: Actor, now: datetime) -> None:
    """Invoices came into the case: a dispute is about all that is open and in no other. The caller tells the event."""
    lock(session, account_id=case.account_id)
    for row in sorted(rows, key=lambda one: one.invoice_id):
        _dispute_what_is_open(session, case, row, word="joined", actor=actor, now=now)
    session.flush()


def left(session: Session, *, case: Case, rows: Iterable[CaseInvoice], actor: Actor, now: datetime) -> None:
    """Invoices leave the case: what was in dispute of them no longer is. The caller tells the event."""
    lock(session, account_id=case.account_id)
    for row in rows:
        _withdraw(session, row, _standing(session, row).still, word="left", actor=actor, now=now)
    session.flush()


def kind_changed(session: Session, *, case: Case, actor: Actor, now: datetime) -> None:
    """The case turned from query to dispute or back; amounts a person set stand. The caller tells the event."""
    lock(session, account_id=case.account_id)
    for row in _rows(session, case):
        if _set_by_hand(session, row):
            continue
        if case.kind != DISPUTE:
            _withdraw(session, row, _standing(session, row).still, word="no dispute", actor=actor, now=now)
        elif row.disputed == 0 and case.state not in _ENDED:
            _dispute_what_is_open(session, case, row, word="a dispute", actor=actor, now=now)
    session.flush()
    writeback.tell(session, case=case, now=now)


def set_disputed(
    session: Session, *, case_id: int, invoice_id: int, amount: Decimal, actor: Actor, now: datetime
) -> CaseInvoice:
    """A person says how much of an invoice is in dispute. Raises NoCase, CaseMerged, NotInCase, NotPossible."""
    case = case_for_change(session, case_id)
    row = session.get(CaseInvoice, (case_id, invoice_id))
    if row is None:
        raise NotInCase(f"Case {case_id} is not about invoice {invoice_id}: link the invoice first")
    if amount < 0:
        raise NotPossible("An amount in dispute is zero or more")
    lock(session, account_id=case.account_id)
    more = amount - _standing(session, row).still
    if more:
        kind: MovementKind = "disputed" if more > 0 else "withdrawn"
        source = _numbered(session, row, BY_HAND)
        book(session, movements=[Movement(case_id, invoice_id, kind, abs(more), source)], actor=actor, now=now)
    return row


def give_back(
    session: Session, *, case: Case, keep: Mapping[int, Decimal] | None = None, actor: Actor, now: datetime
) -> None:
    """What is in dispute is given up, but for the amounts in `keep`, by invoice id: those wait for the ERP's document.

    Raises NotInCase, or NotPossible where more is kept than is in dispute.
    """
    lock(session, account_id=case.account_id)
    kept, rows = dict(keep or {}), {row.invoice_id: row for row in _rows(session, case)}
    if foreign := sorted(set(kept) - set(rows)):
        raise NotInCase(f"Case {case.id} is not about invoice {foreign[0]}")
    movements = []
    for invoice_id, row in rows.items():
        still, stays = _standing(session, row).still, kept.get(invoice_id, ZERO)
        if not 0 <= stays <= still:
            raise NotPossible(f"{stays} cannot be accepted: {still} is in dispute")
        if still > stays:
            source = _numbered(session, row, GIVEN_BACK)
            movements.append(Movement(case.id, invoice_id, "withdrawn", still - stays, source))
    book(session, movements=movements, actor=actor, now=now)


def take_up(session: Session, *, case: Case, actor: Actor, now: datetime) -> None:
    """The case is open again: what was given up at its end is in dispute again, as far as it is still open."""
    lock(session, account_id=case.account_id)
    movements = []
    for row in _rows(session, case):
        last = session.scalar(
            select(DisputeMovement).where(*_of(row)).order_by(DisputeMovement.id.desc()).limit(1)
        )  # fmt: skip
        if last is not None and last.kind == "withdrawn" and last.source.startswith(GIVEN_BACK):
            amount = min(last.amount, _room(session, row))
            source = _numbered(session, row, TAKEN_UP)
            movements += [Movement(case.id, row.invoice_id, "disputed", amount, source)] if amount > 0 else []
    book(session, movements=movements, actor=actor, now=now)


def carry(
    session: Session, *, source: Case, target: Case, amounts: Mapping[int, Decimal], actor: Actor, now: datetime
) -> None:
    """Disputed money goes to another case of the same account, by invoice id: the same cents. The caller tells it.

    The target gets the invoice where it was not about it. Raises NotPossible where less is in dispute.
    """
    lock(session, account_id=source.account_id)
    for invoice_id, amount in sorted(amounts.items()):
        if amount <= 0:
            continue
        row = session.get_one(CaseInvoice, (source.id, invoice_id))
        name = _numbered(session, row, f"moved {source.id} to {target.id}")
        pair = moved(invoice_id, from_case=source.id, to_case=target.id, amount=amount, source=name)
        for movement in pair:
            _write(session, movement, room=amount, actor=actor, now=now)
    session.flush()


def book(session: Session, *, movements: Iterable[Movement], actor: Actor, now: datetime) -> None:
    """Write movements, with an event a case that tells what is in dispute now. Raises NotPossible."""
    by_case: dict[int, list[Movement]] = {}
    for movement in movements:
        by_case.setdefault(movement.case_id, []).append(movement)
    for case_id, of_case in by_case.items():
        before: dict[str, str] = {}
        after: dict[str, str] = {}
        for movement in of_case:
            row = session.get_one(CaseInvoice, (case_id, movement.invoice_id))
            before.setdefault(str(movement.invoice_id), _plain(session, row))
            _write(session, movement, room=_room(session, row), actor=actor, now=now)
            after[str(movement.invoice_id)] = _plain(session, row)
        session.flush()
        moves = [f"{one.kind} by {one.source}" for one in of_case]
        record(
            session,
            actor=actor,
            now=now,
            verb="disputed money moved",
            subject="case",
            subject_id=case_id,
            case_id=case_id,
            before=before,
            after={**after, "movements": moves},
        )
        case = session.get_one(Case, case_id)
        touch(case, now=now)
        writeback.tell(session, case=case, now=now)


def _dispute_what_is_open(
    session: Session, case: Case, row: CaseInvoice, *, word: str, actor: Actor, now: datetime
) -> None:
    amount = disputed_amount(case.kind, _room(session, row))
    if amount > 0:
        movement = Movement(row.case_id, row.invoice_id, "disputed", amount, _numbered(session, row, word))
        _write(session, movement, room=amount, actor=actor, now=now)


def _withdraw(session: Session, row: CaseInvoice, amount: Decimal, *, word: str, actor: Actor, now: datetime) -> None:
    if amount > 0:
        movement = Movement(row.case_id, row.invoice_id, "withdrawn", amount, _numbered(session, row, word))
        _write(session, movement, room=ZERO, actor=actor, now=now)


def _write(session: Session, movement: Movement, *, room: Decimal, actor: Actor, now: datetime) -> None:
    row = session.get_one(CaseInvoice, (movement.case_id, movement.invoice_id))
    invoice = session.get_one(Invoice, movement.invoice_id)
    standing = apply(_standing(session, row), movement, room=room, currency=invoice.currency)
    if row.disputed > 0 and _count(session, row) == 0:
        before = replace(movement, kind="disputed", amount=row.disputed, source="before:1")
        _insert(session, before, actor=actor, now=now)
    _insert(session, movement, actor=actor, now=now)
    row.disputed = standing.still


def _plain(session: Session, row: CaseInvoice) -> str:
    return str(rounded(row.disputed, session.get_one(Invoice, row.invoice_id).currency))


def _insert(session: Session, movement: Movement, *, actor: Actor, now: datetime) -> None:
    session.add(
        DisputeMovement(
            case_id=movement.case_id,
            invoice_id=movement.invoice_id,
            kind=movement.kind,
            amount=movement.amount,
            source=movement.source,
            actor=actor.name,
            at=now,
        )
    )
    session.flush()


def _standing(session: Session, row: CaseInvoice) -> Tally:
    """The row's tally; a row from before movements were kept counts as disputed."""
    kept = session.scalars(select(DisputeMovement).where(*_of(row))).all()
    return tally(_movement(one) for one in kept) if kept else Tally(disputed=row.disputed)


def _movement(kept: DisputeMovement) -> Movement:
    return Movement(kept.case_id, kept.invoice_id, kept.kind, kept.amount, kept.source)  # type: ignore[arg-type] # one of MovementKind, as written here


def _of(row: CaseInvoice) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return DisputeMovement.case_id == row.case_id, DisputeMovement.invoice_id == row.invoice_id


def _rows(session: Session, case: Case) -> list[CaseInvoice]:
    found = select(CaseInvoice).where(CaseInvoice.case_id == case.id).order_by(CaseInvoice.invoice_id)
    return list(session.scalars(found))


def _room(session: Session, row: CaseInvoice) -> Decimal:
    invoice = session.get_one(Invoice, row.invoice_id)
    return room_of(open_of(session, invoice=invoice), claims(session, invoice_id=row.invoice_id))


def _set_by_hand(session: Session, row: CaseInvoice) -> bool:
    by_hand = select(DisputeMovement.id).where(*_of(row), DisputeMovement.source.startswith(BY_HAND)).limit(1)
    return session.scalar(by_hand) is not None


def _numbered(session: Session, row: CaseInvoice, word: str) -> str:
    """A source of its own: the same thing may happen to a case and invoice again."""
    return f"{word}:{_count(session, row) + 1}"


def _count(session: Session, row: CaseInvoice) -> int:
    return session.scalar(select(func.count()).select_from(DisputeMovement).where(*_of(row))) or 0
