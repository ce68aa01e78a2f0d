"""Ledgers of any size, made up as they are read: the same seed gives the same documents."""

import json
import random
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

ENTITY = {"type": "entity", "id": "B01", "name": "Bench SAS", "country": "FR", "currency": "EUR", "version": 1}
INVOICES_PER_ACCOUNT = 200
_OPEN = 0.1
_FIRST_DAY = date(2023, 1, 2)
_PRODUCTS = tuple((f"SKU-{place:04}", f"Article {place:04}") for place in range(400))


def ledger_documents(size: int, *, seed: int = 7) -> Iterator[dict[str, object]]:
    """An entity, an account for every 200 invoices, and `size` invoices of one to three lines, oldest first."""
    chance = random.Random(seed)
    yield ENTITY
    accounts = max(1, size // INVOICES_PER_ACCOUNT)
    for place in range(accounts):
        yield _account(place)
    for place in range(size):
        yield _invoice(place, size, accounts, chance)


def write_ledger(path: Path, size: int) -> int:
    """The documents as NDJSON; gives how many there are."""
    with path.open("w", encoding="utf-8") as file:
        return sum(1 for document in ledger_documents(size) if file.write(json.dumps(document) + "\n"))


def _account(place: int) -> dict[str, object]:
    number = f"C{place:06}"
    contact = {"name": "Accounts", "email": f"ap@customer{place}.example", "role": "accounts payable", "phone": ""}
    return {
        "type": "account",
        "account": number,
        "entity": "B01",
        "name": f"Customer {place} SARL",
        "language": "fr",
        "country": "FR",
        "terms_days": 30,
        "contacts": [contact],
        "version": 1,
    }


def _invoice(place: int, size: int, accounts: int, chance: random.Random) -> dict[str, object]:
    issued = _FIRST_DAY + timedelta(days=place * 1_000 // max(size, 1))
    lines = [_line(chance) for _ in range(chance.randint(1, 3))]
    net = sum((Decimal(str(line["quantity"])) * Decimal(str(line["unit_price"])) for line in lines), Decimal(0))
    gross = (net * Decimal("1.2")).quantize(Decimal("0.01"))
    return {
        "type": "invoice",
        "number": f"FA-{issued.year}-{place:07}",
        "entity": "B01",
        "account": f"C{chance.randrange(accounts):06}",
        "issued": str(issued),
        "due": str(issued + timedelta(days=30)),
        "currency": "EUR",
        "net": str(net),
        "gross": str(gross),
        "open": str(gross) if chance.random() < _OPEN else "0.00",
        "po": f"PO{chance.randrange(10**7):07}",
        "order": f"SO-{place:08}",
        "delivery": f"DN{place:08}",
        "lines": lines,
        "version": 1,
    }


def _line(chance: random.Random) -> dict[str, object]:
    sku, text = chance.choice(_PRODUCTS)
    price = Decimal(chance.randint(100, 50_000)).scaleb(-2)
    return {"sku": sku, "text": text, "quantity": chance.randint(1, 40), "unit_price": str(price)}
