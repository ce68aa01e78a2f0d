"""The demo's ledger: two legal entities, some 200 accounts, 3,000 invoices, their payments and credit notes.

Shaped as an ERP would push it (docs/guide/erp.md). The same seed and day give the same ledger.
"""

import tomllib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from importlib import resources
from random import Random
from typing import Any

from app.core.money import rounded

ACCOUNTS = 200
INVOICES = 3000
DAYS = 270
LANGUAGES = {"FR": ("fr",) * 13 + ("de",) * 3 + ("it", "it", "es", "es", "nl", "nl"), "GB": ("en",) * 8 + ("nl", "de")}
ENTITIES: tuple[dict[str, Any], ...] = (
    {
        "id": "TVFR",
        "name": "Fonderies Tarvel SAS",
        "country": "FR",
        "currency": "EUR",
        "language": "fr",
        "mailbox": "comptes.clients@tarvel.example",
    },
    {
        "id": "TVGB",
        "name": "Tarvel Cookware Ltd",
        "country": "GB",
        "currency": "GBP",
        "language": "en",
        "mailbox": "receivables@tarvel-cookware.example",
    },
)
VAT = Decimal("1.20")


@dataclass
class Ledger:
    """Documents as the ERP pushes them."""

    customers: list[dict[str, Any]] = field(default_factory=list)
    invoices: list[dict[str, Any]] = field(default_factory=list)
    payments: list[dict[str, Any]] = field(default_factory=list)

    def documents(self) -> Iterator[dict[str, Any]]:
        """Every document with its type, in the order an ERP would send them."""
        yield from ({"type": "entity", **entity} for entity in ENTITIES)
        yield from ({"type": "account", **customer} for customer in self.customers)
        yield from ({"type": invoice["kind"], **invoice} for invoice in self.invoices)
        yield from ({"type": "payment", **payment} for payment in self.payments)


@cache
def words() -> dict[str, Any]:
    """Names, places and products the demo is made of."""
    return tomllib.loads(resources.files(__package__).joinpath("names.toml").read_text(encoding="utf-8"))


def make_ledger(*, random: Random, today: date) -> Ledger:
    """The demo's ledger as of `today`."""
    ledger = Ledger()
    vocabulary = words()
    ledger.customers = [_customer(n, random=random, vocabulary=vocabulary) for n in range(ACCOUNTS)]
    issued = sorted(today - timedelta(days=random.randrange(1, DAYS)) for _ in range(INVOICES))
    for n, day in enumerate(issued):
        customer = ledger.customers[min(int(random.expovariate(1 / 70)), ACCOUNTS - 1)]
        invoice = _invoice(n, day, customer, random=random, products=vocabulary["products"]["items"])
        ledger.invoices.append(invoice)
        _settle(ledger, invoice, random=random, today=today)
    ledger.invoices += _credit_notes(ledger, random=random, today=today)
    return ledger


def slug(name: str) -> str:
    """A name as a host name: ascii, lower case, dashes."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return "-".join("".join(c if c.isalnum() else " " for c in plain).split())


def _customer(n: int, *, random: Random, vocabulary: dict[str, Any]) -> dict[str, Any]:
    entity = ENTITIES[0] if n % 5 < 3 else ENTITIES[1]  # noqa: PLR2004 - three in five accounts are French
    language = random.choice(LANGUAGES[entity["country"]])
    local, made = vocabulary[language], vocabulary["words"]
    trade, name = made["trade"][n % len(made["trade"])], made["name"][(n * 7 + n // 30) % len(made["name"])]
    full = f"{trade} {name} {random.choice(local['forms'])}"
    host = f"{slug(f'{trade} {name}')}-{n}.example"
    return {
        "account": f"{41 if entity['id'] == 'TVFR' else 12}{1000 + n * 3}",
        "entity": entity["id"],
        "name": full,
        "language": language,
        "country": random.choice(local["country"]),
        "terms_days": random.choice((30, 30, 45, 60)),
        "address": random.choice(local["places"]),
        "contacts": [_contact(local, host, random=random) for _ in range(random.choice((1, 2, 2, 3)))],
    }


def _contact(local: dict[str, Any], host: str, *, random: Random) -> dict[str, str]:
    first, last = random.choice(local["first"]), random.choice(local["last"])
    return {
        "name": f"{first} {last}",
        "email": f"{slug(first)}.{slug(last)}@{host}",
        "role": random.choice(local["roles"]),
        "phone": f"{local['phone']}{random.randrange(100, 999)}",
    }


def _invoice(
    n: int, day: date, customer: dict[str, Any], *, random: Random, products: list[list[Any]]
) -> dict[str, Any]:
    entity = next(e for e in ENTITIES if e["id"] == customer["entity"])
    french = entity["id"] == "TVFR"
    lines = [_line(product, random=random, french=french) for product in random.sample(products, random.randint(1, 4))]
    net = rounded(sum((Decimal(x["unit_price"]) * x["quantity"] for x in lines), Decimal(0)), entity["currency"])
    home = customer["country"] == entity["country"]
    gross = rounded(net * VAT, entity["currency"]) if home else net
    return {
        "number": f"TV{day:%y}-{10400 + n}" if french else f"TC/{day:%y}/{4100 + n:06d}",
        "entity": entity["id"],
        "account": customer["account"],
        "issued": day.isoformat(),
        "due": (day + timedelta(days=customer["terms_days"])).isoformat(),
        "currency": entity["currency"],
        "net": str(net),
        "gross": str(gross),
        "open": str(gross),
        "po": f"PO{random.randrange(40000, 99999)}" if random.random() < 0.7 else None,  # noqa: PLR2004 - seven in ten
        "order": f"OR{220000 + n * 3}",
        "delivery": f"{'BL' if french else 'DN'}{61000 + n}",
        "lines": lines,
        "kind": "invoice",
    }


def _line(product: list[Any], *, random: Random, french: bool) -> dict[str, Any]:
    sku, english_text, french_text, price = product
    return {
        "sku": sku,
        "text": french_text if french else english_text,
        "quantity": random.choice((2, 4, 6, 6, 10, 12, 20, 24)),
        "unit_price": str(Decimal(str(price)).quantize(Decimal("0.01"))),
    }


def _settle(ledger: Ledger, invoice: dict[str, Any], *, random: Random, today: date) -> None:
    """Most customers pay some days around the due date; one invoice in seven is still open long after."""
    paid_on = date.fromisoformat(invoice["due"]) + timedelta(days=round(random.gauss(2, 9)))
    if paid_on >= today or random.random() < 1 / 7:
        return
    invoice["open"] = "0.00"
    ledger.payments.append(
        {
            "reference": f"BK{700000 + len(ledger.payments)}",
            "account": invoice["account"],
            "entity": invoice["entity"],
            "currency": invoice["currency"],
            "received": max(paid_on, date.fromisoformat(invoice["issued"])).isoformat(),
            "amount": invoice["gross"],
            "invoices": [invoice["number"]],
        }
    )


def _credit_notes(ledger: Ledger, *, random: Random, today: date) -> list[dict[str, Any]]:
    """A few credit notes for a single line of an invoice, some of them not yet netted."""
    notes = []
    for n, invoice in enumerate(random.sample(ledger.invoices, 60)):
        line = invoice["lines"][0] | {"quantity": -1}
        net = -Decimal(line["unit_price"])
        gross = rounded(net * Decimal(invoice["gross"]) / Decimal(invoice["net"]), invoice["currency"])
        day = min(date.fromisoformat(invoice["issued"]) + timedelta(days=21), today)
        notes.append(
            invoice
            | {
                "number": f"{'AV' if invoice['entity'] == 'TVFR' else 'CN'}{day:%y}-{300 + n}",
                "kind": "credit_note",
                "issued": day.isoformat(),
                "due": day.isoformat(),
                "net": str(net),
                "gross": str(gross),
                "open": str(gross) if n % 4 == 0 else "0.00",
                "lines": [line],
            }
        )
    return notes
