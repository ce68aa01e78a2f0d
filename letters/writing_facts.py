"""What letters say that a person starts: about a case, the account's statement, a plan to pay. It reads only.

Disputed money is shown as such and never part of what is asked for: a plan is about the rest, and the answer to a
dispute asks for what was refused of it, as far as it is still open and in no other dispute.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.money import rounded
from disputes.actions.money import GIVEN_BACK, TAKEN_UP
from disputes.models import Case, DisputeMovement
from disputes.queries.case import case_invoices
from disputes.told import told
from invoices.models import Invoice
from letters.balance import Balance, balance
from letters.dunning_facts import Owing, owing
from letters.guards import Refusal
from letters.kinds import DECISIONS, Kind
from letters.letter_facts import ZERO, Instalment, LeftOut, LetterFacts, Letterhead, Row, sums
from letters.models import Letter
from letters.planning import frame, left_out_of, payment_reference
from letters.procedure import Channel
from letters.refusing import NoSuchLetter, Sum

OPEN = frozenset({"new", "in_progress", "waiting"})
_DECIDED: Mapping[str, Kind] = {
    "accepted": "dispute_accepted",
    "partly_accepted": "dispute_partly_accepted",
    "rejected": "dispute_rejected",
}
REASONED: frozenset[Kind] = frozenset({"dispute_partly_accepted", "dispute_rejected", "apology"})
"""Letters that owe the customer reasons in a person's words."""
OF_ACCOUNT: tuple[Kind, ...] = ("statement", "payment_plan")
N_ = str  # marks a msgid for extraction
_MORE_THAN_OWED = N_(
    "%(refused)s of %(number)s was refused, and only %(open)s is still to be paid: the letter would ask for money that "
    "came, or that is in another dispute. Answer by mail."
)
_STILL_OPEN = N_("%(open)s of %(number)s is still to be paid: send the answer first.")
_WAYS: tuple[Channel, ...] = ("email", "post", "registered")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """What the person adds: how it goes, what it is about, reasons (paragraphs), a personal word, days."""

    channel: str = ""
    matter: str = ""
    reasons: str = ""
    note: str = ""
    answer_by: date | None = None
    pay_by: date | None = None


def offered(case: Case) -> tuple[Kind, ...]:
    """The letters that can be started for a case as it stands; none without an account."""
    if case.account_id is None or case.state == "merged":
        return ()
    if case.state in OPEN:
        return ("acknowledgement", "apology")
    decided = _DECIDED.get(case.resolution or "") if case.kind == "dispute" else None
    return (*([decided] if decided else ()), "closing", "apology")


def ways(found: Owing, kind: Kind) -> tuple[Channel, ...]:
    """How such a letter can go, the usual way first: an acknowledgement by post, all else by mail."""
    usual = sorted(_WAYS, key=lambda one: one != "post") if kind == "acknowledgement" else _WAYS
    return tuple(one for one in usual if one in found.facts.reachable)


def case_facts(session: Session, case: Case, found: Owing, head: Letterhead, *, kind: Kind, signer: str) -> LetterFacts:
    """What a letter about a case says, without a person's words. Raises NoSuchLetter where it would be untrue."""
    decided = kind in DECISIONS or kind == "closing"
    movements = session.scalars(
        select(DisputeMovement).where(DisputeMovement.case_id == case.id).order_by(DisputeMovement.id)
    ).all()
    left = owed(found, not_due=True)
    rows = []
    for one in case_invoices(session, case_id=case.id):
        invoice = one.invoice
        mine = [movement for movement in movements if movement.invoice_id == one.invoice_id]
        accepted, refused = _decision(mine, one.disputed) if decided else (ZERO, one.disputed)
        rows.append(_case_row(invoice, accepted, refused, left, kind=kind))
    shown = [row for row in rows if row.disputed] if kind in DECISIONS else rows
    asking = [row.number for row in shown if row.asked]
    return LetterFacts(
        **frame(found, head, kind=kind, channel="email", signer=signer, reference=""),
        case_number=str(case.id),
        rows=tuple(shown),
        credit_notes=tuple(_credit_notes(movements)) if decided else (),
        payment_reference=payment_reference(found, head, asking) if asking else "",
    )


def _decision(movements: Sequence[DisputeMovement], still: Decimal) -> tuple[Decimal, Decimal]:
    """What was accepted and refused of one invoice. What is accepted stays in dispute until the ERP books it."""
    booked = sum((one.amount for one in movements if one.kind in {"credited", "written_off"}), ZERO)
    given = sum((one.amount for one in movements if one.kind == "withdrawn" and _at(one, GIVEN_BACK)), ZERO)
    again = sum((one.amount for one in movements if one.kind == "disputed" and _at(one, TAKEN_UP)), ZERO)
    return booked + still, max(given - again, ZERO)


def _at(movement: DisputeMovement, word: str) -> bool:
    return movement.source.startswith(word)


def _case_row(invoice: Invoice, accepted: Decimal, refused: Decimal, left: Mapping[str, Decimal], *, kind: Kind) -> Row:
    accepted, refused = rounded(accepted, invoice.currency), rounded(refused, invoice.currency)
    open_now = left.get(invoice.number, ZERO)
    if kind in DECISIONS and refused > open_now:
        was, left_now = Sum(refused, invoice.currency), Sum(open_now, invoice.currency)
        raise NoSuchLetter(_MORE_THAN_OWED, refused=was, number=invoice.number, open=left_now)
    if kind == "closing" and refused and open_now:
        raise NoSuchLetter(_STILL_OPEN, open=Sum(open_now, invoice.currency), number=invoice.number)
    in_dispute = accepted + refused
    return Row(
        **_document(invoice),
        open_amount=rounded(invoice.open_amount, invoice.currency),
        disputed=in_dispute or None,
        credited=accepted if in_dispute else None,
        asked=refused if kind in DECISIONS and refused else None,
    )


def _document(invoice: Invoice) -> dict[str, object]:
    gross = rounded(invoice.gross, invoice.currency)
    credit = invoice.kind == "credit_note"
    return {
        "number": invoice.number,
        "kind": "credit_note" if credit else "invoice",
        "issued": invoice.issued,
        "due": None if credit else invoice.due,
        "currency": invoice.currency,
        "amount": -abs(gross) if credit else gross,
        "reference": invoice.po or "",
    }


def _credit_notes(movements: Iterable[DisputeMovement]) -> list[str]:
    sources = (one.source for one in movements if one.kind == "credited")
    return list(dict.fromkeys(one.removeprefix("credit_note:") for one in sources if one.startswith("credit_note:")))


def statement_facts(found: Owing, head: Letterhead, *, signer: str) -> LetterFacts:
    """All that is open of the account: invoices with what is in dispute of each, credit notes, money not yet put."""
    items = {one.number: one for one in found.facts.items}
    rows = [
        Row(
            **_document(invoice),
            open_amount=items[number].open_amount,
            disputed=min(items[number].disputed, items[number].open_amount) if items[number].disputed else None,
        )
        for number, invoice in found.invoices.items()
    ]
    rows += [
        Row(number=one.source or "-", kind="payment", currency=one.currency, amount=-one.amount)
        for one in found.facts.covers
        if one.kind == "payment" and one.amount
    ]
    return LetterFacts(
        **frame(found, head, kind="statement", channel="email", signer=signer, reference=""),
        rows=tuple(rows),
        left_out=tuple(
            LeftOut(number=row.number, currency=row.currency, amount=row.disputed, reason="disputed")
            for row in rows
            if row.disputed
        ),
        payment_reference=payment_reference(found, head, [found.account.number]),
    )


def plan_facts(found: Owing, head: Letterhead, *, currency: str, not_due: bool, signer: str) -> LetterFacts:
    """What a plan is about: all that is owed in a currency, less what is in dispute and what covers it."""
    left = _balance(found, not_due=not_due)
    rows = [
        Row(**_document(found.invoices[one.item.number]), open_amount=one.item.open_amount, asked=one.amount)
        for one in left.askable
        if one.item.currency == currency
    ]
    return LetterFacts(
        **frame(found, head, kind="payment_plan", channel="email", signer=signer, reference=""),
        rows=tuple(rows),
        left_out=tuple(one for one in left_out_of(left.parts) if one.currency == currency),
        payment_reference=payment_reference(found, head, [row.number for row in rows]),
    )


def with_plan(facts: LetterFacts, instalments: tuple[Instalment, ...]) -> LetterFacts:
    """The plan with its instalments; the first is to be paid with the letter."""
    return facts.model_copy(update={"instalments": instalments, "pay_by": instalments[0].day})


def owed(found: Owing, *, not_due: bool) -> dict[str, Decimal]:
    """What is open and undisputed of each invoice, payments and credits set against it; by number."""
    return {one.item.number: one.amount for one in _balance(found, not_due=not_due).askable}


def owed_by_currency(found: Owing, *, not_due: bool) -> dict[str, Decimal]:
    """The same by currency: what a plan can be about."""
    return sums((one.item.currency, one.amount) for one in _balance(found, not_due=not_due).askable)


def _balance(found: Owing, *, not_due: bool) -> Balance:
    """Holds, promises and cases that wait are no reason here: a person agrees on these letters with the customer."""
    yesterday = found.today - timedelta(days=1)
    items = [replace(one, hold=None, due=min(one.due, yesterday) if not_due else one.due) for one in found.facts.items]
    covers = [one for one in found.facts.covers if one.kind != "promise"]
    return balance(items, covers, (), today=found.today)


def overtaken(session: Session, letter: Letter, *, now: datetime) -> Refusal | None:
    """Why a letter that a person started may not go any more: it asks for more of an invoice than is owed by now."""
    if not letter.totals or letter.asked:
        return None
    found = owing(session, account_ids=[letter.account_id], now=now)[letter.account_id]
    left = owed(found, not_due=True)
    for row in LetterFacts.from_json(letter.facts).rows:
        if row.asked is not None and row.asked > left.get(row.number, ZERO):
            why = told(N_("less of %(number)s is to be paid by now"), number=row.number)
            return Refusal("changed", why.english(), why)
    return None
