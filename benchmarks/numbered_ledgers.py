"""Ledgers of any size as rows, written straight into the tables: six entities that each number invoices differently.

Everything of an invoice follows from its place in the ledger, so that mails can be made up without reading any.
"""

import string
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import Engine, Table, text

from app.models import metadata
from invoices.models import Account, AccountName, Contact, Entity, Invoice, InvoiceLine
from matching.references import digits_key, number_keys
from matching.text import name_tokens

INVOICES_PER_ACCOUNT = 120
LANGUAGES = ("fr", "de", "en", "es", "it", "nl")
PRODUCTS = ("steel brackets", "pallet film", "hex bolts M8", "filter cartridges", "packing tape", "copper pipe 22 mm")
_FIRST_DAY, _DAYS = date(2024, 1, 2), 730
_SYLLABLES = ("bar", "cal", "den", "fos", "gri", "hul", "jor", "kem", "lim", "mon", "nav", "pol", "rud", "sel", "tam")
_FORMS = {"fr": "SARL", "de": "GmbH", "en": "Ltd", "es": "SL", "it": "Srl", "nl": "BV"}
_OPEN_ONE_IN = 6
_CHUNK = 50_000
_MIX = 0x9E3779B97F4A7C15


@dataclass(frozen=True, slots=True)
class Customer:
    """An account by its place among those of its entity (`entity` counts from 0); ids count from 1."""

    id: int
    entity: int
    number: str
    name: str
    domain: str

    @property
    def email(self) -> str:
        """The address of its accounts department, the one contact the ledger knows."""
        return f"accounts@{self.domain}"


@dataclass(frozen=True, slots=True)
class Made:
    """An invoice as the ledger has it; `cents` gross, `open` whether all of it is unpaid."""

    id: int
    number: str
    customer: int
    issued: date
    cents: int
    open: bool
    po: str
    order: str
    delivery: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """A ledger of `size` invoices, the same for the same size."""

    size: int

    @property
    def per_entity(self) -> int:
        """Accounts of each entity."""
        return max(3, self.size // (INVOICES_PER_ACCOUNT * len(LANGUAGES)))

    def customer(self, place: int) -> Customer:
        """The account at a place of the ledger (from 0)."""
        entity, within = divmod(place, self.per_entity)
        word = _word(place)
        name = f"{word.capitalize()} {_word(place * 7 + 3).capitalize()} {_FORMS[LANGUAGES[entity]]}"
        return Customer(place + 1, entity, f"{'ABCDEF'[entity]}{within:06}", name, f"{word}{place}.example")

    def invoice(self, place: int) -> Made:
        """The invoice at a place (from 0): older ones come first."""
        entity, serial = place % len(LANGUAGES), place // len(LANGUAGES) + 1
        chance = _mixed(place)
        own = serial % self.per_entity if LANGUAGES[entity] == "nl" else (chance >> 8) % self.per_entity
        issued = _FIRST_DAY + timedelta(days=place * _DAYS // self.size)
        return Made(
            id=place + 1,
            number=_NUMBERED[entity](serial, issued, own, serial // self.per_entity + 1),
            customer=entity * self.per_entity + own,
            issued=issued,
            cents=2_000 + (chance >> 20) % 3_000_000,
            open=chance % _OPEN_ONE_IN == 0,
            po=f"PO{(chance >> 24) % 10**7:07}",
            order=f"SO-{place:08}",
            delivery=f"DN{place:08}",
        )


_NUMBERED: tuple[Callable[[int, date, int, int], str], ...] = (
    lambda serial, issued, _own, _count: f"FA-{issued.year}-{serial:06}",
    lambda serial, issued, _own, _count: f"RE{issued.year}/{serial:06}",
    lambda serial, _issued, _own, _count: f"INV-{serial:07}",
    lambda serial, issued, own, _count: f"{issued:%y}.{own % 40 + 1:02}.{serial:06}",
    lambda serial, issued, _own, _count: f"{issued.year}{serial:06}/A",
    lambda _serial, _issued, own, count: f"{_letters(own)}-{count:04}",
)


def _mixed(place: int) -> int:
    """A number of 64 bits that looks drawn by chance, the same for the same place."""
    mixed = (place + 1) * _MIX & (1 << 64) - 1
    mixed = (mixed ^ mixed >> 31) * 0xBF58476D1CE4E5B9 & (1 << 64) - 1
    return mixed ^ mixed >> 27


def _word(place: int) -> str:
    chance = _mixed(place)
    return "".join(_SYLLABLES[(chance >> shift) % len(_SYLLABLES)] for shift in (0, 16, 32, 48))


def _letters(place: int) -> str:
    found = ""
    for _ in range(4):
        place, letter = divmod(place, 26)
        found = string.ascii_uppercase[letter] + found
    return found


def write_ledger(engine: Engine, ledger: Ledger) -> int:
    """All of the ledger into empty tables, indexes built afterwards; gives the bytes the invoices' indexes take."""
    tables: list[Table] = [metadata.tables[model.__tablename__] for model in (Account, AccountName, Contact, Invoice)]
    for table in tables:
        for index in table.indexes:
            index.drop(engine)
    for model, columns, rows in _contents(ledger):
        _load(engine, model.__tablename__, columns, rows)
    for table in tables[:-1]:
        for index in table.indexes:
            index.create(engine)
    before = _bytes(engine)
    for index in tables[-1].indexes:
        index.create(engine)
    taken = _bytes(engine) - before
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    return taken


_FROM_ERP = ("version", "fingerprint")
_INVOICE = (
    "id", "entity_id", "account_id", "number", "kind", "issued", "due", "currency", "net", "gross", "open_amount",
    "po", "order_number", "delivery", "kd", "kc", "ks", "k4", "po_key", "order_key", "delivery_key", *_FROM_ERP,
)  # fmt: skip

_Rows = Iterable[tuple[Any, ...]]


def _contents(ledger: Ledger) -> Iterator[tuple[Any, Sequence[str], _Rows]]:
    customers = [ledger.customer(place) for place in range(ledger.per_entity * len(LANGUAGES))]
    yield Entity, ("id", "code", "name", "country", "currency", "language", "mailbox", *_FROM_ERP), _entities()
    yield (
        Account,
        ("id", "entity_id", "number", "name", "language", "address", "customer_group", "pending", *_FROM_ERP),
        (
            (one.id, one.entity + 1, one.number, one.name, LANGUAGES[one.entity], "", "", False, "", 0)
            for one in customers
        ),
    )
    yield (
        Contact,
        ("id", "account_id", "name", "email", "domain", "role", "phone"),
        ((one.id, one.id, "Accounts", one.email, one.domain, "accounts payable", "") for one in customers),
    )
    tokens = ((token, one.id) for one in customers for token in sorted(set(name_tokens(one.name))))
    yield AccountName, ("token", "account_id"), tokens
    yield Invoice, _INVOICE, (_invoice(ledger.invoice(place), place) for place in range(ledger.size))
    lines = ((place + 1, 1, f"SKU-{place % 400:04}", PRODUCTS[place % 6], 10**6, 10**8) for place in range(ledger.size))
    yield InvoiceLine, ("invoice_id", "position", "sku", "text", "quantity", "unit_price"), lines


def _entities() -> Iterator[tuple[Any, ...]]:
    for place, language in enumerate(LANGUAGES, 1):
        country = "GB" if language == "en" else language.upper()
        yield place, f"B0{place}", f"Bench {country}", country, "EUR", language, f"ar@bench-{language}.example", "", 0


def _invoice(made: Made, place: int) -> tuple[Any, ...]:
    keys, gross = number_keys(made.number, made.issued.year), made.cents * 100
    net = made.cents * 5 // 6 * 100
    return (
        made.id, place % len(LANGUAGES) + 1, made.customer + 1, made.number, "invoice", made.issued.isoformat(),
        (made.issued + timedelta(days=30)).isoformat(), "EUR", net, gross, gross if made.open else 0,
        made.po, made.order, made.delivery, *keys, digits_key(made.po), digits_key(made.order),
        digits_key(made.delivery), "", 0,
    )  # fmt: skip


def _load(engine: Engine, table: str, columns: Sequence[str], rows: _Rows) -> None:
    """Rows as the columns hold them, past the ORM: millions in minutes."""
    loader = _copy if engine.dialect.name == "postgresql" else _insert
    connection = engine.raw_connection()
    try:
        loader(connection, table, columns, rows)
        connection.commit()
    finally:
        connection.close()


def _copy(connection: Any, table: str, columns: Sequence[str], rows: _Rows) -> None:
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _insert(connection: Any, table: str, columns: Sequence[str], rows: _Rows) -> None:
    marks = ", ".join("?" * len(columns))
    statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=OFF")
    every = iter(rows)
    while chunk := list(islice(every, _CHUNK)):
        cursor.execute("BEGIN")
        cursor.executemany(statement, chunk)
        cursor.execute("COMMIT")
    cursor.close()


def _bytes(engine: Engine) -> int:
    """What the database holds: of SQLite the pages in use, of PostgreSQL the invoices with their indexes."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            return int(connection.scalar(text("SELECT pg_total_relation_size('invoices')")) or 0)
        pages = [connection.scalar(text(f"PRAGMA {name}")) or 0 for name in ("page_count", "freelist_count")]
        return int((pages[0] - pages[1]) * (connection.scalar(text("PRAGMA page_size")) or 0))
