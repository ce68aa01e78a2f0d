"""What the text of a letter may name (letters.wording.VALUES), from its facts. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from letters.figures import Figures, figures
from letters.letter_facts import ZERO, LetterFacts, Row, sums
from letters.sandbox import Value
from letters.wording import Words, words

_NAMED = 3


@dataclass(frozen=True, slots=True)
class Voice:
    """A letter's facts with the words and figures of its language."""

    facts: LetterFacts
    words: Words
    figures: Figures

    def label(self, name: str) -> str:
        """A word of the letter's frame."""
        return self.words.labels[name]

    def all(self, amounts: Mapping[str, Decimal]) -> str:
        """Sums of each currency, in words; nothing where all are nothing."""
        told = {currency: amount for currency, amount in amounts.items() if amount}
        return self.figures.sums(told, joint=self.label("and"))


def voice(facts: LetterFacts) -> Voice:
    """The words and figures for these facts."""
    country = facts.seller.country
    return Voice(facts, words(facts.language, country), figures(facts.language, country))


def values(voice: Voice) -> Mapping[str, Value]:
    """Every value and list a text may name."""
    return {**_about(voice), **_amounts(voice), **_days(voice), **_lists(voice)}


def balance(rows: Iterable[Row]) -> Mapping[str, Decimal]:
    """What is open on the rows, by currency; below zero in the customer's favour."""
    return sums((row.currency, row.amount if row.open_amount is None else row.open_amount) for row in rows)


def _about(voice: Voice) -> dict[str, Value]:
    facts = voice.facts
    numbers = [row.number for row in facts.rows if row.kind == "invoice"]
    more = ["…"] if len(numbers) > _NAMED else []
    return {
        "person": facts.recipient.person,
        "name": facts.recipient.name,
        "account": facts.account_number,
        "case": facts.case_number,
        "reference": facts.reference,
        "yours": facts.yours,
        "matter": facts.subject_matter,
        "credit_notes": voice.figures.listed(facts.credit_notes, joint=voice.label("and")),
        "count": len(numbers),
        "many": len(numbers) > 1,
        "numbers": ", ".join([*numbers[:_NAMED], *more]),
        "consumer": facts.customer == "consumer",
        "seller": facts.seller.name,
        "signer": facts.signature.name,
        "phone": facts.signature.phone,
        "email": facts.signature.email,
        "hours": facts.signature.hours,
    }


def _amounts(voice: Voice) -> dict[str, Value]:
    facts = voice.facts
    claim = facts.claim
    in_dispute = sums((one.currency, one.amount) for one in facts.left_out if one.reason == "disputed")
    if not in_dispute:
        in_dispute = sums((row.currency, row.remains) for row in facts.rows if row.disputed is not None)
    open_now = balance(facts.rows)
    return {
        "total": voice.all(facts.totals),
        "asked": voice.all(facts.asked or open_now),
        "interest": voice.all(claim.interest) if claim else "",
        "compensation": voice.all(claim.compensation) if claim else "",
        "fees": voice.all(sums((fee.currency, fee.amount) for fee in facts.fees)),
        "disputed": voice.all(sums((row.currency, row.disputed or ZERO) for row in facts.rows)),
        "credited": voice.all(sums((row.currency, row.credited or ZERO) for row in facts.rows)),
        "remains": voice.all(sums((row.currency, row.remains) for row in facts.rows if row.disputed is not None)),
        "in_dispute": voice.all(in_dispute),
        "credit": any(open_now.values()) and all(amount <= 0 for amount in open_now.values()),
        "settled": not any(open_now.values()),
    }


def _days(voice: Voice) -> dict[str, Value]:
    facts = voice.facts
    day = voice.figures.day
    oldest = min((row.due for row in facts.rows if row.due is not None and row.kind == "invoice"), default=None)
    return {
        "day": day(facts.day),
        "pay_by": day(facts.pay_by) if facts.pay_by else "",
        "answer_by": day(facts.answer_by) if facts.answer_by else "",
        "until": day(facts.claim.until) if facts.claim else "",
        "oldest": day(oldest) if oldest else "",
        "days_late": max((facts.day - oldest).days, 0) if oldest else 0,
    }


def _lists(voice: Voice) -> dict[str, Value]:
    facts = voice.facts
    return {
        "earlier": tuple(
            {"day": voice.figures.day(one.day), "letter": voice.words.letters[one.kind]} for one in facts.earlier
        ),
        "instalments": tuple(
            {"day": voice.figures.day(one.day), "amount": voice.figures.money(one.amount, one.currency)}
            for one in facts.instalments
        ),
    }
