"""Invented ledgers in many numbering schemes, and the ways people write their numbers: none is that of a corpus."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random

from matching.facts import AccountFacts, InvoiceFacts, MailFacts
from matching.memory import MemoryIndex

SENT = datetime(2025, 11, 20, 9, tzinfo=UTC)
ACCOUNTS = 40
INVOICES = 600
_LETTERS = "ACDEFHJKMNPRTUVWXY"


def _check_digit(serial: int) -> int:
    return (serial * 7 + 3) % 97


SCHEMES: dict[str, Callable[[int, int, date], str]] = {
    "prefix-year-serial": lambda n, _, day: f"INV-{day.year}-{1800 + n:05d}",
    "year/serial": lambda n, _, day: f"{day.year}/{1800 + n}",
    "short year": lambda n, _, day: f"F{day.year % 100}-{1800 + n:04d}",
    "per customer": lambda n, account, _: f"{_name(account)}-{1 + n // ACCOUNTS:04d}",
    "ten digits": lambda n, _, __: f"{9000041800 + n}",
    "padded ten digits": lambda n, _, __: f"{94180 + n:010d}",
    "dotted": lambda n, _, day: f"R.{1800 + n}.{day.year % 100}",
    "letter suffix": lambda n, account, _: f"{41800 + n}{_LETTERS[account % len(_LETTERS)]}",
    "check digits": lambda n, _, __: f"{41800 + n}-{_check_digit(41800 + n):02d}",
    "year-month": lambda n, _, day: f"{day.year}{day.month:02d}-{1 + n % 400:04d}",
    "plain serial": lambda n, _, __: f"{48120 + n}",
}


def _name(account: int) -> str:
    size = len(_LETTERS)
    return "".join(_LETTERS[place % size] for place in (account, account // size + 3, 5 * account + 7, 11))


@dataclass(frozen=True, slots=True)
class Written:
    """A mail with the way its number is written, and the invoices it means."""

    way: str
    mail: MailFacts
    meant: frozenset[int]


def ledger(scheme: str) -> MemoryIndex:
    """Forty customers and a dense sequence dealt out among them at random."""
    return MemoryIndex(_accounts(), invoices(scheme), [])


def _accounts() -> list[AccountFacts]:
    return [
        AccountFacts(n, f"D{7000 + n}", 1, f"{_name(n).title()} Handel GmbH", frozenset({_address(n)}))
        for n in range(ACCOUNTS)
    ]


def _address(account: int) -> str:
    return f"ap@{_name(account).lower()}.example"


def invoices(scheme: str) -> list[InvoiceFacts]:
    """The sequence, some three a day."""
    chance = Random(scheme)  # noqa: S311 - a ledger, no secret
    make = SCHEMES[scheme]
    return [_invoice(make, n, chance) for n in range(INVOICES)]


def _invoice(make: Callable[[int, int, date], str], n: int, chance: Random) -> InvoiceFacts:
    account = n % ACCOUNTS if make is SCHEMES["per customer"] else chance.randrange(ACCOUNTS)
    issued = date(2025, 5, 2) + timedelta(days=n // 3)
    gross = Decimal(chance.randrange(4_000, 900_000)) / 100
    return InvoiceFacts(
        id=1000 + n,
        number=make(n, account, issued),
        entity_id=1,
        account_id=account,
        kind="invoice",
        issued=issued,
        due=issued + timedelta(days=30),
        currency="EUR",
        gross=gross,
        open=gross if n % 3 else Decimal(0),
        net=None,
    )


def _split(number: str, chance: Random) -> str:
    at = chance.randrange(2, len(number) - 1)
    return f"{number[:at]} {number[at:]}"


def _serial(number: str) -> str:
    runs = "".join(char if char.isdigit() else " " for char in number).split()
    years = {"2025", "25"}
    kept = [run for run in runs if run not in years and not run.startswith("20250")] or runs
    return max(reversed(kept), key=len)


WAYS: dict[str, Callable[[str, Random], str]] = {
    "as printed": lambda number, _: number,
    "lower case": lambda number, _: number.lower(),
    "glued": lambda number, _: "".join(char for char in number if char.isalnum()),
    "other sign": lambda number, _: number.replace("-", "/").replace(".", "-"),
    "blanks for signs": lambda number, _: number.replace("-", " ").replace("/", " ").replace(".", " "),
    "blank inside": _split,
    "letter O": lambda number, _: number.replace("0", "O"),
    "serial alone": lambda number, _: _serial(number),
    "zeros dropped": lambda number, _: _serial(number).lstrip("0"),
}
"""How one number is written; each must be found within the account."""

SENTENCES = (
    "Invoice {} is not right, please check.",
    "Wir können die Rechnung {} so nicht buchen.",
    "La facture {} comporte une erreur.",
    "La factura {} no coincide con el pedido.",
    "La fattura {} non torna.",
    "Factuur {} klopt niet.",
)


def mails(scheme: str, *, every: int = 12) -> Iterator[Written]:
    """One mail for each way of writing of every twelfth invoice, and lists of two and three."""
    chance = Random(f"mails {scheme}")  # noqa: S311 - mails, no secret
    every_invoice = invoices(scheme)
    for place, invoice in enumerate(every_invoice[::every]):
        for way, write in WAYS.items():
            text = SENTENCES[place % len(SENTENCES)].format(write(invoice.number, chance))
            yield Written(way, a_mail(invoice.account_id, text), frozenset({invoice.id}))
        yield _list_of(every_invoice, invoice.account_id, place)


def _list_of(every: list[InvoiceFacts], account: int, place: int) -> Written:
    own = [each for each in every if each.account_id == account][place % 3 :][:3]
    text = SENTENCES[place % len(SENTENCES)].format(
        ", ".join(each.number for each in own[:-1]) + f" & {own[-1].number}"
    )
    return Written("list", a_mail(account, text), frozenset(each.id for each in own))


def a_mail(account: int, text: str) -> MailFacts:
    """A mail of an account's own people."""
    return MailFacts(
        subject="question",
        new_text=text,
        quoted_text="",
        signature="",
        attachments=(),
        from_email=_address(account),
        from_name="",
        entity_ids=(1,),
        sent_at=SENT,
        direction="in",
    )
