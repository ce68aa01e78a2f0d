"""The money in dispute, conserved per case and invoice (product.md, Words; security.md S25). Pure.

disputed = still disputed + credited + paid + written off + withdrawn. And over all cases of one invoice: what is still
disputed is never more than what is open, so that no cent is in two disputes, or credited to two.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from app.core.errors import Conflict
from app.core.money import exact
from disputes.reasons import shipped

MovementKind = Literal["disputed", "credited", "paid", "written_off", "withdrawn"]
ChangeKind = Literal["credit_note", "payment", "write_off"]
LESS: Mapping[ChangeKind, MovementKind] = {"credit_note": "credited", "payment": "paid", "write_off": "written_off"}
"""What of the disputed money becomes of a change in the ledger."""
ZERO = Decimal(0)
_PAID_CLAIM = "already_paid"


class NotPossible(Conflict):
    """A movement that would make money out of nothing or lose some."""


@dataclass(frozen=True, slots=True)
class Movement:
    """One movement of disputed money, as DisputeMovement keeps it: `amount` is above zero, in the invoice's currency.

    A movement of the same case, invoice, kind and source is the same movement: it counts once.
    """

    case_id: int
    invoice_id: int
    kind: MovementKind
    amount: Decimal
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The disputed money of one case and invoice, in the invoice's currency."""

    disputed: Decimal = ZERO
    credited: Decimal = ZERO
    paid: Decimal = ZERO
    written_off: Decimal = ZERO
    withdrawn: Decimal = ZERO

    @property
    def still(self) -> Decimal:
        """What is in dispute now."""
        return self.disputed - self.credited - self.paid - self.written_off - self.withdrawn


@dataclass(frozen=True, slots=True)
class Claim:
    """What one case still disputes of an invoice, oldest case first where several do."""

    case_id: int
    reason: str
    still: Decimal


@dataclass(frozen=True, slots=True)
class LedgerChange:
    """A document of the ERP that lowered what is open of an invoice: a credit note, a payment, a write-off.

    `source` is its name ("credit_note:AV26-301"): the same document pushed again changes nothing again.
    """

    kind: ChangeKind
    amount: Decimal
    source: str


def tally(movements: Iterable[Movement]) -> Tally:
    """The sum of one case's movements on one invoice; repeated ones count once."""
    sums: dict[str, Decimal] = {}
    for movement in {(one.kind, one.source): one for one in movements}.values():
        sums[movement.kind] = sums.get(movement.kind, ZERO) + movement.amount
    return Tally(**sums)


def apply(standing: Tally, movement: Movement, *, room: Decimal, currency: str) -> Tally:
    """The tally after a movement. `room` is what of the invoice is open and in no dispute yet (see room_of).

    Raises NotPossible in words for amounts that are nothing, too fine, more than is open, or more than is disputed.
    """
    amount = exact(movement.amount, currency)
    if amount <= 0:
        raise NotPossible(f"Nothing moves with {amount} {currency}: write an amount above zero")
    if movement.kind == "disputed" and amount > room:
        raise NotPossible(f"{amount} {currency} cannot be disputed: only {room} is open and in no dispute yet")
    if movement.kind != "disputed" and amount > standing.still:
        raise NotPossible(f"{amount} {currency} cannot be {_said(movement.kind)}: {standing.still} is in dispute")
    return replace(standing, **{movement.kind: getattr(standing, movement.kind) + amount})


def room_of(open_amount: Decimal, claims: Iterable[Claim]) -> Decimal:
    """What of an invoice is open and in no dispute: it may be disputed, and only it may be dunned.

    `open_amount` is the ERP's, less credit notes for the invoice that are not yet set against it. Never negative.
    """
    return max(open_amount - sum((claim.still for claim in claims), ZERO), ZERO)


def settle(
    invoice_id: int,
    claims: Sequence[Claim],
    changes: Sequence[LedgerChange],
    *,
    open_amount: Decimal,
    known: Collection[str] = (),
    fallback: str,
) -> tuple[Movement, ...]:
    """What changes in the ledger mean for the disputed money of an invoice; `open_amount` is what is open after them.

    Credit notes and write-offs settle disputes first: that is what they are made for. A payment pays what is not
    disputed first, and a dispute only where less is left open than is disputed. `known` are the sources booked before.
    What then still exceeds the open amount (the ERP told no document) is paid under the source `fallback`.
    """
    left = {claim.case_id: claim.still for claim in claims}
    found: list[Movement] = []
    for change in changes:
        if change.source in known:
            continue
        excess = max(sum(left.values(), ZERO) - open_amount, ZERO)
        amount = min(change.amount, excess) if change.kind == "payment" else change.amount
        found += _share(
            invoice_id, _order(claims, change), left, kind=LESS[change.kind], amount=amount, source=change.source
        )
    excess = sum(left.values(), ZERO) - open_amount
    if excess > 0:
        found += _share(invoice_id, claims, left, kind="paid", amount=excess, source=fallback)
    return tuple(found)


def _share(
    invoice_id: int,
    claims: Sequence[Claim],
    left: dict[int, Decimal],
    *,
    kind: MovementKind,
    amount: Decimal,
    source: str,
) -> list[Movement]:
    """The amount laid on the cases in order, each up to what it still disputes; `left` is lowered with it."""
    found = []
    for claim in claims:
        part = min(amount, left[claim.case_id])
        if part > 0:
            left[claim.case_id] -= part
            amount -= part
            found.append(Movement(claim.case_id, invoice_id, kind, part, source))
    return found


def _order(claims: Sequence[Claim], change: LedgerChange) -> list[Claim]:
    """Whose dispute a document settles first.

    A payment answers those who said they had paid, a credit those who did not; then whoever disputes just that amount;
    then the oldest case.
    """
    paying = change.kind == "payment"
    return sorted(
        claims, key=lambda claim: ((shipped(claim.reason) == _PAID_CLAIM) != paying, claim.still != change.amount)
    )  # fmt: skip


def moved(invoice_id: int, *, from_case: int, to_case: int, amount: Decimal, source: str) -> tuple[Movement, Movement]:
    """Disputed money that goes to another case (merge, split): withdrawn here, disputed there, the same cents."""
    return (
        Movement(from_case, invoice_id, "withdrawn", amount, source),
        Movement(to_case, invoice_id, "disputed", amount, source),
    )


def withdrawn(case_id: int, tallies: Mapping[int, Tally], *, source: str) -> tuple[Movement, ...]:
    """What is left in dispute given up (rejected, or taken back by the customer): it may be asked for again."""
    return tuple(
        Movement(case_id, invoice_id, "withdrawn", one.still, source)
        for invoice_id, one in tallies.items()
        if one.still > 0
    )


def outcome(tallies: Iterable[Tally]) -> str | None:
    """How a case ended by its money: accepted, partly_accepted, paid or withdrawn; None while money is in dispute.

    None as well where nothing was ever disputed: a query ends by an answer.
    """
    every = list(tallies)
    given = sum((one.credited + one.written_off for one in every), ZERO)
    paid, back = sum((one.paid for one in every), ZERO), sum((one.withdrawn for one in every), ZERO)
    if any(one.still for one in every) or not given + paid + back:
        return None
    if not given:
        return "paid" if paid and paid >= back else "withdrawn"
    return "partly_accepted" if paid + back else "accepted"


def _said(kind: str) -> str:
    return kind.replace("_", " ")
