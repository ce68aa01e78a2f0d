"""Whether an ERP document makes sense: cents that add up, known currencies, possible dates. Pure."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache

from app.core import money
from invoices.feed import (
    AccountDocument,
    Document,
    EntityDocument,
    InvoiceDocument,
    LinePart,
    PaymentDocument,
    Problem,
    kind_of,
    version_key,
)

EARLIEST = date(1990, 1, 1)
FURTHEST_AHEAD = timedelta(days=5 * 366)
DUE_BEFORE_ISSUE = timedelta(days=7)
"""Prepaid and direct-debit invoices fall due shortly before they are written; more is two dates swapped."""

QUANTITY_LIMIT = Decimal(10) ** 12
QUANTITY_STEP = Decimal("0.000001")
"""What the Quantity columns hold: six decimals in 64 bits."""


def problem_of(document: Document, *, today: date) -> Problem | None:
    """The first thing in a document that cannot be, or None."""
    if isinstance(document, InvoiceDocument):
        return _invoice_problem(document, today)
    if isinstance(document, PaymentDocument):
        return _payment_problem(document, today)
    if isinstance(document, AccountDocument):
        return _account_problem(document)
    return _entity_problem(document)


def _entity_problem(entity: EntityDocument) -> Problem | None:
    return (
        _currency_problem(entity.currency)
        or _mail_problem("mailbox", entity.mailbox)
        or _version_problem(entity.version)
    )


def _account_problem(account: AccountDocument) -> Problem | None:
    for place, contact in enumerate(account.contacts):
        problem = _mail_problem(f"contacts.{place}.email", contact.email)
        if problem:
            return problem
    return _version_problem(account.version)


def _invoice_problem(invoice: InvoiceDocument, today: date) -> Problem | None:
    return (
        _currency_problem(invoice.currency)
        or _kind_problem(invoice)
        or _amounts_problem(invoice)
        or _sign_problem(invoice)
        or _lines_problem(invoice)
        or _date_problem("issued", invoice.issued, today)
        or _due_problem(invoice, today)
        or _version_problem(invoice.version)
    )


def _payment_problem(payment: PaymentDocument, today: date) -> Problem | None:
    return (
        _currency_problem(payment.currency)
        or _amount_problem("amount", payment.amount, payment.currency)
        or (Problem("amount", "is zero: nothing was paid") if not payment.amount else None)
        or _allocations_problem(payment)
        or _date_problem("received", payment.received, today)
        or _version_problem(payment.version)
    )


def _currency_problem(code: str) -> Problem | None:
    return None if _known_currency(code) else Problem("currency", f"{code} is not an ISO 4217 currency")


_known_currency: Callable[[str], bool] = lru_cache(maxsize=500)(money.known_currency)
_quantum: Callable[[str], Decimal] = lru_cache(maxsize=500)(money.quantum)


def _mail_problem(field: str, address: str | None) -> Problem | None:
    """One @ with something on both sides and no blank: more is the mail server's business."""
    if not address:
        return None
    local, _, domain = address.rpartition("@")
    fine = local and domain and "@" not in local and " " not in address
    return None if fine else Problem(field, f"{address!r} is not a mail address")


def _version_problem(version: int | str | None) -> Problem | None:
    try:
        version_key(version)
    except ValueError as error:
        return Problem("version", f"{str(version)[:40]!r} {error}")
    return None


def _amount_problem(field: str, amount: Decimal, currency: str) -> Problem | None:
    if abs(amount) >= money.MAX_AMOUNT:
        return Problem(field, "is too large for an amount")
    if amount != amount.quantize(_quantum(currency)):
        digits = money.minor_digits(currency)
        return Problem(field, f"{amount} has more decimals than {currency} allows ({digits})")
    return None


def _amounts_problem(invoice: InvoiceDocument) -> Problem | None:
    currency = invoice.currency
    problem = (
        _amount_problem("net", invoice.net, currency)
        or _amount_problem("gross", invoice.gross, currency)
        or _amount_problem("open", invoice.open, currency)
    )
    if problem or invoice.tax is None:
        return problem
    return _amount_problem("tax", invoice.tax, currency) or _tax_problem(invoice, invoice.tax)


def _tax_problem(invoice: InvoiceDocument, tax: Decimal) -> Problem | None:
    if invoice.net + tax == invoice.gross:
        return None
    return Problem("gross", f"net {invoice.net} and tax {tax} make {invoice.net + tax}, not {invoice.gross}")


def _kind_problem(invoice: InvoiceDocument) -> Problem | None:
    if invoice.type == "credit_note" and invoice.kind == "invoice":
        return Problem("kind", "says invoice where the type says credit_note")
    if invoice.credits and kind_of(invoice) == "invoice":
        return Problem("credits", "belongs to credit notes only")
    return None


def _sign_problem(invoice: InvoiceDocument) -> Problem | None:
    """An invoice has 0 <= net <= gross and 0 <= open <= gross; a credit note the same below zero."""
    name, sign = ("a credit note", -1) if kind_of(invoice) == "credit_note" else ("an invoice", 1)
    net, gross, unpaid = sign * invoice.net, sign * invoice.gross, sign * invoice.open
    if net < 0 or gross < 0:
        wrong, which = ("net", invoice.net) if net < 0 else ("gross", invoice.gross)
        return Problem(wrong, f"{which} has the wrong sign: {_SIGNS[sign]}")
    if gross < net:
        return Problem("gross", f"{invoice.gross} is less than the net amount {invoice.net} of {name}")
    if not 0 <= unpaid <= gross:
        return Problem("open", f"{invoice.open} is not between 0 and the gross amount {invoice.gross}")
    return None


_SIGNS = {1: "amounts of an invoice are positive", -1: "amounts of a credit note are negative"}


def _lines_problem(invoice: InvoiceDocument) -> Problem | None:
    """The lines make the net amount.

    Where quantity x unit price is whole cents there is nothing to round and no tolerance. Each line that had to be
    rounded may differ by half a cent, whether the ERP rounds lines (EN 16931, BT-131) or their sum.
    """
    if not invoice.lines:
        return None
    quantum, total, rounded = _quantum(invoice.currency), Decimal(0), 0
    for place, line in enumerate(invoice.lines):
        problem = _line_problem(line, invoice.currency)
        if problem:
            return Problem(f"lines.{place}.{problem.field}", problem.reason)
        amount = line.quantity * line.unit_price if line.amount is None else line.amount
        total += amount
        rounded += amount != amount.quantize(quantum)
    if abs(total - invoice.net) <= rounded * quantum / 2:
        return None
    return Problem("net", f"{invoice.net} is not what the lines add up to ({total.quantize(quantum)})")


def _line_problem(line: LinePart, currency: str) -> Problem | None:
    problem = _quantity_problem("quantity", line.quantity) or _quantity_problem("unit_price", line.unit_price)
    if problem:
        return problem
    if abs(line.quantity * line.unit_price) >= money.MAX_AMOUNT:
        return Problem("quantity", "times the unit price is too large")
    return _line_amount_problem(line, line.amount, currency) if line.amount is not None else None


def _quantity_problem(field: str, value: Decimal) -> Problem | None:
    if abs(value) >= QUANTITY_LIMIT:
        return Problem(field, "is too large")
    if value != value.quantize(QUANTITY_STEP):
        return Problem(field, f"{value} has more than six decimals")
    return None


def _line_amount_problem(line: LinePart, amount: Decimal, currency: str) -> Problem | None:
    """A line's own amount may differ from quantity x unit price by what the price's last decimal leaves open."""
    exponent = line.unit_price.as_tuple().exponent
    doubt = Decimal(5).scaleb(min(int(exponent), 0) - 1) * abs(line.quantity) + _quantum(currency) / 2
    product = line.quantity * line.unit_price
    if abs(amount - product) > doubt:
        return Problem("amount", f"{amount} is not quantity times unit price ({product})")
    return _amount_problem("amount", amount, currency)


def _allocations_problem(payment: PaymentDocument) -> Problem | None:
    """What is put against invoices has the payment's sign and is not more than the payment."""
    given = [part.amount for part in payment.allocations if part.amount is not None]
    for place, amount in enumerate(given):
        problem = _amount_problem(f"allocations.{place}.amount", amount, payment.currency)
        if problem:
            return problem
    total = sum(given, Decimal(0))
    if abs(total) > abs(payment.amount) or total * payment.amount < 0:
        return Problem("allocations", f"add up to {total}, which the payment of {payment.amount} does not cover")
    return None


def _date_problem(field: str, day: date, today: date) -> Problem | None:
    if day < EARLIEST:
        return Problem(field, f"{day} is before {EARLIEST}")
    if day > today + FURTHEST_AHEAD:
        return Problem(field, f"{day} is more than five years ahead")
    return None


def _due_problem(invoice: InvoiceDocument, today: date) -> Problem | None:
    if invoice.due < invoice.issued - DUE_BEFORE_ISSUE:
        return Problem("due", f"{invoice.due} is before the invoice was issued ({invoice.issued})")
    return _date_problem("due", invoice.due, today)
