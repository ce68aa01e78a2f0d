"""The peers of `amiable bench match`: what others do to find the invoices of a mail.

Each reads the same text: numbers are what this expression finds, upper case, dates and amounts left in as they come.
"""

import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from typing import Protocol

import psycopg
import re2
from rapidfuzz import fuzz, process
from sqlalchemy import bindparam, text
from sqlalchemy.orm import Session

from benchmarks.numbered_ledgers import LANGUAGES, Ledger
from benchmarks.postgres import NoPostgres, running_postgres
from matching.facts import MailFacts

_NUMBER = re2.compile(r"\b[A-Z]{0,4}[-/ ]?\d[\dA-Z./-]*\d(?:/[A-Z])?\b")
_FEWEST_DIGITS = 4
_ENOUGH = 80.0  # of RapidFuzz, out of 100
_ALIKE = 0.6  # of pg_trgm: its own default of 0.3 links every mail to something
_MOST = 12  # numbers of one mail that are looked up


def numbers_in(mail: MailFacts) -> list[str]:
    """What looks like a document number, upper case, each once."""
    found = (each.strip() for each in _NUMBER.findall(f"{mail.subject}\n{mail.new_text}".upper()))
    enough = (each for each in found if sum(map(str.isdigit, each)) >= _FEWEST_DIGITS)
    return list(islice(dict.fromkeys(enough), _MOST))


class Peer(Protocol):
    """One way to find invoices: ids for a mail, and for a number that was pointed out to it."""

    name: str
    bytes: int

    def find(self, mail: MailFacts) -> set[int]:
        """The invoices of a mail."""
        ...

    def look_up(self, number: str, mail: MailFacts) -> int | None:
        """The invoice of a number as a person wrote it in this mail."""
        ...


class _ByNumbers(ABC):
    """A peer that looks up each number by itself."""

    name = ""
    bytes = 0

    def find(self, mail: MailFacts) -> set[int]:
        """What each number of the mail leads to."""
        found = (self.look_up(number, mail) for number in numbers_in(mail))
        return {one for one in found if one is not None}

    @abstractmethod
    def look_up(self, number: str, mail: MailFacts) -> int | None:
        """See Peer."""


class Exact(_ByNumbers):
    """What helpdesks do: a regular expression and the number exactly as it is in the ledger."""

    name = "regex + exact lookup"
    _ONE = text("SELECT id FROM invoices WHERE entity_id = :entity AND number = :number")

    def __init__(self, session: Session) -> None:
        self._session = session

    def look_up(self, number: str, mail: MailFacts) -> int | None:
        """The invoice with this very number."""
        return self._session.execute(self._ONE, {"entity": mail.entity_ids[0], "number": number.upper()}).scalar()


class OpenList(_ByNumbers):
    """The sender's open invoices, the likest number with 80 or more of RapidFuzz."""

    name = "customer's open list + RapidFuzz 80"
    _OPEN = text("SELECT id, number FROM invoices WHERE account_id IN :accounts AND open_amount <> 0").bindparams(
        bindparam("accounts", expanding=True)
    )
    _ACCOUNTS = text("SELECT account_id FROM contacts WHERE email = :email OR domain = :domain")

    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, mail: MailFacts) -> set[int]:
        """What each number of the mail is likest to in the sender's open list."""
        numbers = self._numbers(mail)
        return {one for each in numbers_in(mail) if (one := _likest(each, numbers)) is not None}

    def look_up(self, number: str, mail: MailFacts) -> int | None:
        """What it is likest to in the sender's open list."""
        return _likest(number.upper(), self._numbers(mail))

    def _numbers(self, mail: MailFacts) -> dict[int, str]:
        sender = {"email": mail.from_email, "domain": mail.from_email.partition("@")[2]}
        accounts = list(self._session.execute(self._ACCOUNTS, sender).scalars())
        return {row.id: row.number for row in self._session.execute(self._OPEN, {"accounts": accounts})}


def _likest(number: str, numbers: dict[int, str]) -> int | None:
    found = process.extractOne(number, numbers, scorer=fuzz.ratio, score_cutoff=_ENOUGH)
    return None if found is None else int(found[2])


class Everything(_ByNumbers):
    """RapidFuzz extractOne over all numbers of the ledger, held in memory in the order of their ids."""

    name = "RapidFuzz extractOne over all"

    def __init__(self, ledger: Ledger) -> None:
        self._numbers = [ledger.invoice(place).number for place in range(ledger.size)]
        self.bytes = sum(map(sys.getsizeof, self._numbers)) + sys.getsizeof(self._numbers)

    def look_up(self, number: str, mail: MailFacts) -> int | None:  # noqa: ARG002 - it knows numbers and nothing else
        """The likest number of the whole ledger."""
        found = process.extractOne(number.upper(), self._numbers, scorer=fuzz.ratio, score_cutoff=_ENOUGH)
        return None if found is None else found[2] + 1


class Trigrams(_ByNumbers):
    """PostgreSQL's pg_trgm with a GIN index, the likest number of the entity. Its time is the clock's, not ours."""

    name = "pg_trgm on PostgreSQL"
    _LIKEST = """SELECT id FROM bench_numbers WHERE entity = %s AND number %% %s
        ORDER BY similarity(number, %s) DESC, id LIMIT 1"""

    def __init__(self, connection: psycopg.Connection, ledger: Ledger) -> None:
        self._connection = connection
        connection.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        connection.execute("CREATE TEMP TABLE bench_numbers (id bigint, entity int, number text)")
        with connection.cursor() as cursor, cursor.copy("COPY bench_numbers FROM STDIN") as copy:
            for place in range(ledger.size):
                copy.write_row((place + 1, place % len(LANGUAGES) + 1, ledger.invoice(place).number))
        connection.execute("SET maintenance_work_mem = '512MB'")
        connection.execute("CREATE INDEX bench_trigrams ON bench_numbers USING gin (number gin_trgm_ops)")
        connection.execute("ANALYZE bench_numbers")
        connection.execute(f"SET pg_trgm.similarity_threshold = {_ALIKE}")
        row = connection.execute("SELECT pg_relation_size('bench_trigrams')").fetchone()
        self.bytes = int(row[0]) if row else 0

    def look_up(self, number: str, mail: MailFacts) -> int | None:
        """The likest number of the entity, where it is alike enough."""
        row = self._connection.execute(self._LIKEST, (mail.entity_ids[0], number.upper(), number.upper())).fetchone()
        return int(row[0]) if row else None


@contextmanager
def trigrams(ledger: Ledger, url: str | None) -> Iterator[Trigrams | None]:
    """pg_trgm over the ledger's numbers; None where there is no PostgreSQL."""
    with ExitStack() as stack:
        try:
            address = url or stack.enter_context(running_postgres())
        except NoPostgres:
            yield None
            return
        connection = stack.enter_context(psycopg.connect(address.replace("+psycopg", ""), autocommit=True))
        yield Trigrams(connection, ledger)
