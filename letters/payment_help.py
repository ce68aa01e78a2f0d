"""What helps to pay a letter: bank details with the EPC code, or the Swiss QR-bill for its foot. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from app.core.money import Money
from letters.kinds import DECISIONS, REMINDERS
from letters.letter_facts import ZERO, Bank, LetterFacts, sums
from letters.letter_values import Voice, balance
from letters.payment_codes import NoPaymentCode, PostalAddress, epc, swiss
from letters.references import Scheme, is_valid, written
from letters.wording import words

_SYMBOL_MM = 46.0
_SCHEMES: tuple[Scheme, ...] = ("RF", "OGM", "QRR")
"""Schemes told apart by their form alone; other references are printed as they are."""
_SWISS_LANGUAGES = frozenset({"de", "fr", "it", "en"})


@dataclass(frozen=True, slots=True)
class Payment:
    """Bank details as label and value, and the code that pays, where one fits: its address in the page and picture."""

    title: str
    lines: tuple[tuple[str, str], ...]
    code: str
    scan: str
    picture: bytes = b""
    kind: str = "payment"


@dataclass(frozen=True, slots=True)
class Bill:
    """The texts of a QR-bill and its symbol."""

    words: Mapping[str, str]
    creditor: tuple[str, ...]
    debtor: tuple[str, ...]
    currency: str
    amount: str
    reference: str
    message: str
    code: str


def to_pay(facts: LetterFacts) -> Mapping[str, Decimal]:
    """What this letter is to be paid with, by currency; only what is above zero."""
    if facts.kind in REMINDERS:
        amounts = facts.totals
    elif facts.kind in DECISIONS:
        amounts = sums((row.currency, row.remains) for row in facts.rows if row.disputed is not None)
    elif facts.kind == "payment_plan":
        amounts = sums((one.currency, one.amount) for one in facts.instalments[:1])
    elif facts.kind == "statement":
        disputed = ((row.currency, -(row.disputed or ZERO)) for row in facts.rows)
        amounts = sums([*balance(facts.rows).items(), *disputed])
    else:
        amounts = {}
    return {currency: amount for currency, amount in amounts.items() if amount > 0}


def payment(voice: Voice) -> Payment | None:
    """The block with the bank details; None where there is nothing to pay, no account to pay to, or a QR-bill."""
    bank, due = voice.facts.seller.bank, to_pay(voice.facts)
    if bank is None or not due or bill(voice):
        return None
    said = voice.words.payment
    picture = _epc(voice.facts, bank, due)
    lines = tuple(_details(voice, bank, due))
    return (
        Payment(said["title"], lines, "letter:code", said["scan"], picture)
        if picture
        else Payment(said["title"], lines, "", "")
    )


def _details(voice: Voice, bank: Bank, due: Mapping[str, Decimal]) -> Iterator[tuple[str, str]]:
    facts, said = voice.facts, voice.words.payment
    yield said["holder"], bank.holder
    yield "IBAN", grouped(bank.iban)
    if bank.bic:
        yield "BIC", bank.bic
    if bank.name:
        yield said["bank"], bank.name
    if facts.payment_reference or facts.reference:
        yield said["reference"], _reference(facts.payment_reference) or facts.reference
    yield said["amount"], voice.all(due)
    if facts.pay_by:
        yield said["pay_by"], voice.figures.day(facts.pay_by)


def _epc(facts: LetterFacts, bank: Bank, due: Mapping[str, Decimal]) -> bytes:
    """The picture of the EPC code; nothing where no bank would read it, for then the details alone are right."""
    if "EUR" not in due:
        return b""
    reference = facts.payment_reference if is_valid("RF", facts.payment_reference) else ""
    text = "" if reference else facts.payment_reference or facts.reference or facts.account_number
    try:
        return epc(
            name=bank.holder[:70],
            iban=bank.iban,
            bic=bank.bic,
            money=Money(due["EUR"], "EUR"),
            reference=reference,
            text=text,
        ).png()
    except NoPaymentCode:
        return b""


def bill(voice: Voice) -> Bill | None:
    """The QR-bill for the foot of the letter; None where the account, the currency or an address does not fit one."""
    facts = voice.facts
    bank, due = facts.seller.bank, to_pay(facts)
    creditor = facts.seller.postal
    if bank is None or creditor is None or len(due) != 1:
        return None
    currency, amount = next(iter(due.items()))
    debtor = facts.recipient.postal
    debtor = debtor if debtor is not None and debtor.fits() else None
    message = " ".join(part for part in (voice.words.letters[facts.kind], facts.reference) if part)
    try:
        code = swiss(
            account=bank.iban,
            creditor=creditor,
            money=Money(amount, currency),
            debtor=debtor,
            reference=facts.payment_reference,
            message=message,
        ).svg(_SYMBOL_MM)
    except NoPaymentCode:
        return None
    return Bill(
        voice.words.bill if facts.language in _SWISS_LANGUAGES else words("en").bill,
        (grouped(bank.iban), *_lines(creditor)),
        _lines(debtor) if debtor else (),
        currency,
        f"{amount:,.2f}".replace(",", "\N{NO-BREAK SPACE}"),
        _reference(facts.payment_reference),
        message,
        code,
    )


def grouped(iban: str) -> str:
    """An IBAN in groups of four, not to be broken over lines."""
    plain = "".join(iban.split())
    return "\N{NO-BREAK SPACE}".join(plain[at : at + 4] for at in range(0, len(plain), 4))


def _reference(reference: str) -> str:
    scheme = next((one for one in _SCHEMES if reference and is_valid(one, reference)), None)
    return (written(scheme, reference) if scheme else reference).replace(" ", "\N{NO-BREAK SPACE}")


def _lines(address: PostalAddress) -> tuple[str, ...]:
    street = f"{address.street} {address.building}".strip()
    town = f"{address.postal_code} {address.town}"
    return tuple(line for line in (address.name, street, town) if line)
