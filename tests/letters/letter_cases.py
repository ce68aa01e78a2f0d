"""Letters for tests: one of each kind, from three sellers. Days are fixed; rates are the shipped ones."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal

from letters import interest, laws, rate_tables
from letters.debt import Debt, Reduction
from letters.interest import Claim
from letters.letter_facts import (
    Bank,
    Earlier,
    Instalment,
    LeftOut,
    LetterFacts,
    Letterhead,
    Recipient,
    Row,
    Signature,
)
from letters.payment_codes import PostalAddress

D = Decimal
DAY = date(2026, 6, 15)

ATELIERS = Letterhead(
    name="Ateliers Morel",
    country="FR",
    address=("12 rue des Tanneurs", "69007 Lyon"),
    phone="04 78 00 12 30",
    email="compta@ateliers-morel.example",
    web="ateliers-morel.example",
    legal=("Ateliers Morel SAS au capital de 250 000 €", "RCS Lyon 812 345 678", "TVA FR40 812345678"),
    bank=Bank(holder="Ateliers Morel SAS", iban="FR7630006000011234567890189", bic="AGRIFRPP", name="Crédit Agricole"),
)
NORDWIND = Letterhead(
    name="Nordwind Werkzeuge GmbH",
    country="DE",
    address=("Hafenstraße 8", "20457 Hamburg"),
    phone="040 555 01 20",
    email="buchhaltung@nordwind.example",
    legal=(
        "Nordwind Werkzeuge GmbH",
        "Geschäftsführerin: Dr. Anke Petersen",
        "Amtsgericht Hamburg HRB 123456",
        "USt-IdNr. DE123456788",
    ),
    bank=Bank(holder="Nordwind Werkzeuge GmbH", iban="DE89370400440532013000", bic="COBADEFFXXX", name="Commerzbank"),
    accent="#7a2e1f",
)
ALPINA = Letterhead(
    name="Alpina Präzision AG",
    country="CH",
    address=("Seestrasse 14", "8002 Zürich"),
    postal=PostalAddress(
        name="Alpina Präzision AG", street="Seestrasse", building="14", postal_code="8002", town="Zürich", country="CH"
    ),
    phone="044 555 20 10",
    email="debitoren@alpina.example",
    legal=("CHE-123.456.788 MWST",),
    bank=Bank(holder="Alpina Präzision AG", iban="CH4431999123000889012", name="Zürcher Kantonalbank"),
    accent="#8a1c2b",
)
DURAND = Recipient(
    name="Boulangerie Durand & Fils",
    person="Claire Durand",
    address=("4 place du Marché", "21000 Dijon"),
    country="FR",
)
MARCHAND = Signature(
    name="Hélène Marchand",
    role="Responsable du recouvrement amiable",
    phone="04 78 00 12 34",
    email="h.marchand@ateliers-morel.example",
    hours="du lundi au vendredi, 9 h – 17 h 30",
)
EARLIER = (
    Earlier(day=date(2026, 4, 2), kind="reminder_1"),
    Earlier(day=date(2026, 4, 20), kind="reminder_2"),
    Earlier(day=date(2026, 5, 11), kind="reminder_3"),
)
DISPUTED = LeftOut(number="FA-2025-1099", currency="EUR", amount=D("480.00"), reason="disputed")


def rows(count: int, *, currency: str = "EUR") -> tuple[Row, ...]:
    """Overdue invoices of all sizes."""
    found = []
    for at in range(count):
        due = date(2025, 11, 10) + timedelta(13 * at % 200)
        amount = D(120 + at * 7919 % 9000) + D(at % 100) / 100
        found.append(
            Row(
                number=f"FA-2025-{1040 + at}",
                issued=due - timedelta(30),
                due=due,
                currency=currency,
                amount=amount,
                open_amount=amount,
                asked=amount,
                days_late=(DAY - due).days,
                reference=f"PO {8800 + at}" if at % 3 == 0 else "",
            )
        )
    return tuple(found)


def decided(disputed: str, credited: str, *, count: int = 1) -> tuple[Row, ...]:
    """Invoices with what was disputed and credited of each."""
    figures = {"disputed": D(disputed), "credited": D(credited), "asked": None}
    return tuple(row.model_copy(update=figures) for row in rows(count))


def claim_of(country: str, asked: tuple[Row, ...]) -> Claim:
    """What the country's law adds up to DAY; 300 of the first invoice were paid on 10 March."""
    debts = [
        Debt(
            number=row.number,
            due=row.due or DAY,
            currency=row.currency,
            amount=row.amount + (300 if at == 0 else 0),
            reductions=(Reduction(date(2026, 3, 10), D("300.00"), "payment", "P-1"),) if at == 0 else (),
            notice=row.due,
        )
        for at, row in enumerate(asked)
    ]
    law = laws.law_of(laws.shipped(), country, "business")
    return interest.claim(debts, laws.regime(law), tables=rate_tables.shipped(), until=DAY)


def french(**changes: object) -> LetterFacts:
    """A formal notice of Ateliers Morel, changed."""
    asked = rows(3)
    found: dict[str, object] = {
        "kind": "formal_notice",
        "language": "fr",
        "day": DAY,
        "seller": ATELIERS,
        "recipient": DURAND,
        "signature": MARCHAND,
        "account_number": "C-10442",
        "reference": "L-2026-00318",
        "case_number": "AM-2207",
        "rows": asked,
        "claim": claim_of("FR", asked),
        "pay_by": date(2026, 6, 23),
        "earlier": EARLIER,
        "payment_reference": "RF18539007547034",
        "left_out": (DISPUTED,),
    }
    return LetterFacts.model_validate({**found, **changes})


def plain(kind: str, **changes: object) -> LetterFacts:
    """A letter of Ateliers Morel that claims nothing, changed."""
    nothing: dict[str, object] = {"kind": kind, "claim": None, "earlier": (), "left_out": (), "pay_by": None}
    return french(**{**nothing, **changes})


def german(**changes: object) -> LetterFacts:
    """A second reminder of Nordwind, changed."""
    asked = rows(2)
    found: dict[str, object] = {
        "kind": "reminder_2",
        "language": "de",
        "seller": NORDWIND,
        "recipient": Recipient(
            name="Bäckerei Weiß & Söhne KG", person="Jürgen Weiß", address=("Am Markt 3", "23552 Lübeck"), country="DE"
        ),
        "signature": Signature(
            name="Sabine Krüger",
            role="Debitorenbuchhaltung",
            phone="040 555 01 34",
            email="s.krueger@nordwind.example",
            hours="Mo–Fr 8–16 Uhr",
        ),
        "account_number": "70231",
        "reference": "M-2026-118",
        "case_number": "",
        "rows": asked,
        "claim": None,
        "pay_by": date(2026, 6, 22),
        "left_out": (),
        "earlier": (),
    }
    return french(**{**found, **changes})


def swiss(**changes: object) -> LetterFacts:
    """A first reminder of Alpina with a QR-bill, changed."""
    home = PostalAddress(
        name="Müller Maschinenbau AG",
        street="Bahnhofstrasse",
        building="5",
        postal_code="3011",
        town="Bern",
        country="CH",
    )
    found: dict[str, object] = {
        "kind": "reminder_1",
        "seller": ALPINA,
        "recipient": Recipient(
            name="Müller Maschinenbau AG", address=("Bahnhofstrasse 5", "3011 Bern"), country="CH", postal=home
        ),
        "signature": Signature(
            name="Reto Frei", role="Debitoren", phone="044 555 20 12", email="r.frei@alpina.example"
        ),
        "account_number": "5512",
        "reference": "M-2026-77",
        "rows": rows(1, currency="CHF"),
        "payment_reference": "210000000003139471430009017",
    }
    return german(**{**found, **changes})


_WHY = (
    "Le bon BL-5521, signé le 14 mars, montre 40 cartons sur 44 facturés : les 4 autres vous sont crédités.",
    "Pour la remise de 3 %, la commande 8801 n'en prévoyait pas : le tarif signé en janvier s'applique.",
)
_CREDITS = (
    Row(number="AV-12", kind="credit_note", issued=date(2026, 3, 1), currency="EUR", amount=D("-320.00")),
    Row(number="VIR 88", kind="payment", issued=date(2026, 4, 1), currency="EUR", amount=D("-1000.00")),
)


def _plan() -> LetterFacts:
    asked = rows(1)[0].model_copy(update={"asked": D("900.00")})
    parts = tuple(Instalment(day=date(2026, month, 1), currency="EUR", amount=D("300.00")) for month in (7, 8, 9))
    return german(kind="payment_plan", rows=(asked,), instalments=parts)


LETTERS: Mapping[str, Callable[[], LetterFacts]] = {
    "acknowledgement": lambda: plain(
        "acknowledgement",
        rows=decided("400.00", "0.00"),
        subject_matter="quantités livrées",
        answer_by=date(2026, 6, 22),
    ),
    "dispute_accepted": lambda: plain(
        "dispute_accepted", rows=decided("400.00", "400.00"), reasons=_WHY[:1], credit_notes=("AV-2026-31",)
    ),
    "dispute_partly_accepted": lambda: plain(
        "dispute_partly_accepted",
        rows=decided("400.00", "250.00", count=2),
        reasons=_WHY,
        credit_notes=("AV-2026-31",),
        pay_by=date(2026, 6, 30),
    ),
    "dispute_rejected": lambda: german(
        kind="dispute_rejected",
        rows=decided("400.00", "0.00"),
        reasons=("Der Lieferschein vom 14. März trägt die Unterschrift Ihres Lagers.",),
    ),
    "apology": lambda: plain(
        "apology",
        rows=decided("400.00", "0.00"),
        reasons=("Votre dossier est resté trois semaines sans réponse.",),
        answer_by=date(2026, 6, 20),
    ),
    "statement": lambda: plain("statement", rows=(*rows(5), *_CREDITS), left_out=(DISPUTED,)),
    "payment_plan": _plan,
    "reminder_1": swiss,
    "reminder_2": german,
    "reminder_3": lambda: french(kind="reminder_3"),
    "formal_notice": french,
    "closing": lambda: plain("closing", rows=decided("400.00", "400.00")),
}
"""One letter of each kind."""
