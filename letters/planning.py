"""What an account would get today, and what the letter says: from its rows and the rules in force. It reads only."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, get_args

from sqlalchemy.orm import Session

from app.core.errors import BadInput
from letters import laws
from letters.balance import Balance, Item, Part, Reason, balance
from letters.claiming import claim_for
from letters.dunning import Asked, Decision, Letter, decide, stopped
from letters.dunning_facts import Owing, owing
from letters.guards import Refusal, forbidden
from letters.interest import Claim
from letters.kinds import Kind, language_of
from letters.letter_facts import Earlier, Fee, LeftOut, LetterFacts, Letterhead, Recipient, Row, Signature
from letters.procedure import Channel, Chosen, Level, Procedure
from letters.rate_tables import RateTables
from letters.references import NoReference, make, scheme_of
from letters.rules import LetterRules

ZERO = Decimal(0)
QUIET = frozenset({"nothing_due", "too_early", "sent_today", "quiet", "waiting"})
"""Why an account gets no letter where nobody needs to look: its time has not come, or a letter is on its way."""
_TOLD: frozenset[Reason] = frozenset({"disputed", "promised", "paid", "credited", "waiting_on_us", "held"})
"""What a letter says it does not ask for; what is not late or too small it does not speak of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What an account gets: a letter, or `code` and `why` there is none."""

    owing: Owing
    chosen: Chosen
    decision: Decision | None
    code: str = ""
    why: str = ""

    @property
    def letter(self) -> Letter | None:
        """The letter to write."""
        return self.decision.letter if self.decision is not None and not self.code else None


def plan_of(found: Owing, rules: LetterRules) -> Planned:
    """What the account gets today."""
    chosen = rules.chosen(found.account)
    if chosen.procedure is None:
        return Planned(owing=found, chosen=chosen, decision=None, code="blocked", why=f"no letters: {chosen.why}")
    if found.waiting is not None:
        why = f"letter {found.waiting} is written and has not left"
        return Planned(owing=found, chosen=chosen, decision=None, code="waiting", why=why)
    decision = decide(found.facts, chosen.procedure, today=found.today)
    refusal = decision.refusal
    return Planned(
        owing=found,
        chosen=chosen,
        decision=decision,
        code=refusal.code if refusal else "",
        why=refusal.why if refusal else "",
    )


def plans(session: Session, *, account_ids: Collection[int], rules: LetterRules, now: datetime) -> list[Planned]:
    """What many accounts get, in the order of their ids; a constant number of queries."""
    found = owing(session, account_ids=account_ids, now=now)
    return [plan_of(found[account_id], rules) for account_id in sorted(found)]


def still_right(asked: Sequence[Mapping[str, Any]], found: Owing, rules: LetterRules) -> Refusal | None:
    """Why a letter that asked for that may not go now; None where it may (letters.dunning.stopped)."""
    chosen = rules.chosen(found.account)
    if chosen.procedure is None:
        return Refusal("blocked", f"no letters: {chosen.why}")
    letter = Letter(chosen.procedure.levels[0], 0, "email", asked_again(asked), {}, None, ())
    return stopped(letter, found.facts, chosen.procedure, today=found.today)


def asked_as_kept(asked: Sequence[Asked]) -> list[dict[str, Any]]:
    """Items of a letter as a row keeps them."""
    return [
        {
            "number": one.item.number, "due": one.item.due.isoformat(), "currency": one.item.currency,
            "amount": str(one.amount), "position": one.position, "raised": one.raised, "days_late": one.days_late,
        }
        for one in asked
    ]  # fmt: skip


def asked_again(kept: Sequence[Mapping[str, Any]]) -> tuple[Asked, ...]:
    """The items that a row keeps."""
    return tuple(
        Asked(
            Item(
                number=one["number"],
                due=date.fromisoformat(one["due"]),
                currency=one["currency"],
                open_amount=Decimal(one["amount"]),
            ),
            Decimal(one["amount"]),
            one["position"],
            one["raised"],
            one["days_late"],
        )
        for one in kept
    )


def reminder_facts(
    planned: Planned, letter: Letter, rules: LetterRules, *, signer: str, reference: str, case_number: str = ""
) -> LetterFacts:
    """What the reminder says. Interest is left out, with a note, where no law is known for the seller's country."""
    found, procedure = planned.owing, planned.chosen.procedure
    head = rules.letterhead(found.account.entity)
    fees = tuple(
        Fee(currency=currency, amount=amount, source=letter.level.fee_source)
        for currency, amount in letter.fees.items()
    )
    kinds = {level.id: level.kind for level in procedure.levels} if procedure else {}
    parts = planned.decision.left_out if planned.decision else ()
    return LetterFacts(
        **frame(found, head, kind=letter.level.kind, channel=letter.channel, signer=signer, reference=reference),
        case_number=case_number,
        rows=tuple(_row(found, one) for one in letter.asked),
        left_out=tuple(left_out_of(parts)),
        claim=_claim(letter, found, procedure, rules.tables) if procedure else None,
        fees=fees,
        pay_by=letter.pay_by,
        earlier=tuple(Earlier(day=one.day, kind=_kind(one.level, {**found.kinds, **kinds})) for one in letter.earlier),
        payment_reference=payment_reference(found, head, [one.item.number for one in letter.asked]),
    )


def frame(
    found: Owing, head: Letterhead, *, kind: Kind, channel: Channel, signer: str, reference: str
) -> dict[str, Any]:
    """What every letter to an account says around its text."""
    account, entity = found.account, found.account.entity
    person = next((one.name for one in account.contacts if one.email == found.email and one.name), "")
    return {
        "kind": kind,
        "language": language_of(account.language or entity.language),
        "day": found.today,
        "seller": head,
        "recipient": Recipient(
            name=account.name or account.number,
            person=person,
            address=tuple(line.strip() for line in account.address.splitlines() if line.strip())[:8],
            country=account.country or "",
        ),
        "signature": Signature(name=signer, phone=head.phone, email=head.email or entity.mailbox or ""),
        "account_number": account.number,
        "reference": reference,
        "by_post": channel != "email",
    }


def _row(found: Owing, one: Asked) -> Row:
    invoice = found.invoices[one.item.number]
    debt = found.debts[one.item.number]
    return Row(
        number=invoice.number,
        issued=invoice.issued,
        due=invoice.due,
        currency=invoice.currency,
        amount=debt.amount,
        open_amount=one.item.open_amount,
        asked=one.amount,
        days_late=one.days_late,
        reference=invoice.po or "",
    )


def left_out_of(parts: Sequence[Part]) -> list[LeftOut]:
    """What a letter tells that it does not ask for, one line an invoice and reason."""
    sums: dict[tuple[str, str, Reason], Decimal] = {}
    for part in parts:
        if part.reason in _TOLD:
            key = part.number, part.currency, part.reason
            sums[key] = sums.get(key, ZERO) + part.amount
    return [
        LeftOut(number=number, currency=currency, amount=amount, reason=reason)
        for (number, currency, reason), amount in sums.items()
    ]


def _claim(letter: Letter, found: Owing, procedure: Procedure, tables: RateTables) -> Claim | None:
    levels = [procedure.at(one.position) for one in letter.asked]
    if not any(level.interest or level.compensation for level in levels):
        return None
    try:
        law = laws.law_of(laws.shipped(), found.account.entity.country, procedure.customers)
    except BadInput:
        return None
    made = claim_for(
        letter, found.debts, laws.regime(law, procedure.agreed), procedure, tables=tables, today=found.today
    )
    return made if any(line.segments for line in made.lines) or made.fixed_sums else None


def _kind(step: str, kinds: Mapping[str, str]) -> Kind:
    found = kinds.get(step, "reminder_1")
    return next((one for one in get_args(Kind) if one == found), "reminder_1")


def payment_reference(found: Owing, head: Letterhead, numbers: Sequence[str]) -> str:
    """A structured one for the invoice, or for the account where the letter asks for several; none where none fits."""
    number = numbers[0] if len(numbers) == 1 else found.account.number
    try:
        return make(scheme_of(head.country, head.bank.iban if head.bank else ""), number)
    except NoReference:
        return ""


def case_letter(planned: Planned, *, numbers: frozenset[str], kind: Kind) -> Letter | Refusal:
    """The letter a case's playbook asks for: about what of its invoices may be asked for today, or why not."""
    found, procedure = planned.owing, planned.chosen.procedure
    if procedure is None:
        return Refusal("blocked", planned.why)
    against = forbidden(found.facts, procedure, today=found.today)
    if against is not None:
        return against
    facts = found.facts
    left = balance(facts.items, facts.covers, facts.matters, today=found.today)
    asked = tuple(
        Asked(one.item, one.amount, 1, raised=True, days_late=(found.today - one.item.due).days)
        for one in left.askable
        if one.item.number in numbers
    )
    if not asked:
        return _not_now(left, numbers)
    level = next((one for one in procedure.levels if one.kind == kind), procedure.levels[0])
    ways: tuple[Channel, ...] = ("email", "post", "registered")
    channel = next((one for one in ways if one in facts.reachable), None)
    if channel is None:
        return Refusal("unreachable", "no address is known")
    plain = _plain(level, kind)
    return Letter(plain, 0, channel, asked, {}, None, ())


def _not_now(left: Balance, numbers: frozenset[str]) -> Refusal:
    """Nothing may be asked for: now ("changed"), or for good, where all of it is settled."""
    waits = [one.why for one in left.parts if one.number in numbers and one.reason not in {"paid", "credited"}]
    if waits:
        return Refusal("changed", ", ".join(dict.fromkeys(waits)))
    return Refusal("nothing_due", "nothing of it is to be asked for any more")


def _plain(level: Level, kind: Kind) -> Level:
    """A level that adds nothing to the debt: a letter of a case asks for its exact balance."""
    changes: dict[str, Any] = {"interest": False, "compensation": False, "fee": ZERO, "fee_source": ""}
    if kind in {"reminder_1", "reminder_2", "reminder_3"}:
        changes["kind"] = kind
    return level.model_copy(update=changes)


def with_left_out(planned: Planned, numbers: frozenset[str]) -> Planned:
    """The plan with what is left out of these invoices alone; what covers them is told in the letter."""
    found = planned.owing
    left = balance(found.facts.items, found.facts.covers, found.facts.matters, today=found.today)
    parts = tuple(part for part in left.parts if part.number in numbers)
    decision = Decision(found.account.number, found.today, None, None, parts, None)
    return replace(planned, decision=decision)
