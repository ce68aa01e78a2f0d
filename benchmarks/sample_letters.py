"""The letters that benchmarks print: a run as they come, short reminders mostly, some with interest, some long."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from app.core.money import Money
from letters import interest, laws, rate_tables
from letters.compose import compose
from letters.debt import Debt
from letters.interest import Claim
from letters.kinds import Kind
from letters.letter_facts import Bank, LetterFacts, Letterhead, Recipient, Row, Signature
from letters.page import Page
from letters.payment_codes import epc
from letters.payment_help import to_pay

DAY = date(2026, 6, 15)
_BANK = Bank(holder="Ateliers Morel SAS", iban="FR7630006000011234567890189", bic="AGRIFRPP", name="Crédit Agricole")
_SELLER = Letterhead(
    name="Ateliers Morel",
    country="FR",
    address=("12 rue des Tanneurs", "69007 Lyon"),
    phone="04 78 00 12 30",
    legal=("Ateliers Morel SAS au capital de 250 000 €", "RCS Lyon 812 345 678", "TVA FR40 812345678"),
    bank=_BANK,
)
_SIGNER = Signature(name="Hélène Marchand", role="Recouvrement amiable", phone="04 78 00 12 34", hours="9 h – 17 h")
_REFERENCE, _CODE_MM = "RF18539007547034", 34.0
_MIX: tuple[tuple[Kind, int], ...] = (
    ("reminder_1", 1),
    ("reminder_1", 2),
    ("reminder_2", 3),
    ("reminder_3", 4),
    ("reminder_1", 5),
    ("statement", 12),
    ("reminder_2", 1),
    ("formal_notice", 3),
)


@dataclass(frozen=True, slots=True)
class Sample:
    """A letter to print, and the drawing of its payment code for who prints without our picture of it."""

    page: Page
    code: str


def samples(start: int, stop: int) -> Iterator[Sample]:
    """The letters of these numbers; the same each time, each unlike the others."""
    for number in range(start, stop):
        facts = _facts(number)
        money = Money(to_pay(facts)["EUR"], "EUR")
        code = epc(name=_BANK.holder, iban=_BANK.iban, bic=_BANK.bic, money=money, reference=_REFERENCE)
        yield Sample(compose(facts), code.svg(_CODE_MM))


def _facts(number: int) -> LetterFacts:
    kind, count = _MIX[number % len(_MIX)]
    rows = tuple(_row(number, at) for at in range(count))
    return LetterFacts(
        kind=kind,
        language="fr",
        day=DAY,
        seller=_SELLER,
        recipient=Recipient(name=f"Maison Durand {number}", address=(f"{number} rue du Marché", "21000 Dijon")),
        signature=_SIGNER,
        account_number=f"C-{number}",
        reference=f"L-2026-{number:05}",
        rows=rows,
        claim=_claim(rows) if kind in {"reminder_3", "formal_notice"} else None,
        pay_by=DAY + timedelta(8),
        payment_reference=_REFERENCE,
    )


def _row(number: int, at: int) -> Row:
    due = date(2025, 12, 1) + timedelta((number * 7 + at * 13) % 150)
    amount = Decimal(15_000 + (number * 7919 + at * 104_729) % 900_000) / 100
    return Row(
        number=f"FA-{number}-{at}",
        issued=due - timedelta(30),
        due=due,
        currency="EUR",
        amount=amount,
        asked=amount,
        days_late=(DAY - due).days,
    )


def _claim(rows: tuple[Row, ...]) -> Claim:
    debts = [Debt(number=row.number, due=row.due or DAY, currency="EUR", amount=row.amount) for row in rows]
    law = laws.law_of(laws.shipped(), "FR", "business")
    return interest.claim(debts, laws.regime(law), tables=rate_tables.shipped(), until=DAY)
