from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoices.checks import problem_of
from invoices.feed import Refused, read
from tests.invoices.documents import Raw, account, credit_note, entity, invoice, payment

TODAY = date(2026, 3, 2)


def problem(document: Raw) -> tuple[str, str] | None:
    found = read(document)
    assert not isinstance(found, Refused), found
    wrong = problem_of(found, today=TODAY)
    return (wrong.field, wrong.reason) if wrong else None


def lines(*parts: tuple[object, object]) -> list[Raw]:
    return [{"quantity": quantity, "unit_price": price} for quantity, price in parts]


@pytest.mark.parametrize(
    "document", [entity(), account(), invoice(), credit_note(), payment()], ids=lambda d: d["type"]
)
def test_sound_documents_pass(document: Raw) -> None:
    assert problem(document) is None


@pytest.mark.parametrize(
    ("document", "field", "words"),
    [
        (invoice(net="100.01"), "net", "not what the lines add up to (100.00)"),
        (invoice(net="99.99"), "net", "add up"),
        (invoice(gross="99.00"), "gross", "less than the net"),
        (invoice(tax="19.99"), "gross", "make 119.99, not 120.00"),
        (invoice(open="120.01"), "open", "not between 0 and the gross"),
        (invoice(open="-0.01"), "open", "not between"),
        (invoice(net="-100.00", gross="-120.00", open="0", lines=[]), "net", "wrong sign"),
        (credit_note(net="25.00"), "net", "wrong sign: amounts of a credit note are negative"),
        (credit_note(gross="-20.00", open="0"), "gross", "less than the net"),
        (credit_note(open="5.00"), "open", "not between"),
        (credit_note(kind="invoice"), "kind", "says invoice"),
        (invoice(credits="FA-1"), "credits", "credit notes only"),
        (invoice(currency="EUX"), "currency", "not an ISO 4217 currency"),
        (invoice(currency="eur"), "currency", "not an ISO 4217 currency"),
        (invoice(gross="120.001"), "gross", "more decimals than EUR allows (2)"),
        (invoice(currency="JPY", net="100", gross="120.5", lines=[]), "gross", "more decimals than JPY allows (0)"),
        (invoice(gross="1e400"), "gross", "too large"),
        (invoice(gross="1e-400"), "gross", "more decimals"),
        (invoice(lines=lines(("1e300", "1e300"))), "lines.0.quantity", "too large"),
        (invoice(lines=lines((10**11, 10**11))), "lines.0.quantity", "too large"),
        (invoice(lines=lines(("1", "0.0000001"))), "lines.0.unit_price", "six decimals"),
        (invoice(issued="1989-12-31"), "issued", "before 1990"),
        (invoice(issued="2031-06-01", due="2031-06-01"), "issued", "more than five years ahead"),
        (invoice(due="2033-01-01"), "due", "more than five years ahead"),
        (invoice(due="2026-01-01"), "due", "before the invoice was issued"),
        (invoice(version="v7"), "version", "neither a whole number nor a time"),
        (payment(amount="0"), "amount", "zero"),
        (payment(received="2062-02-20"), "received", "more than five years ahead"),
        (payment(allocations=[{"invoice": "A", "amount": "120.01"}]), "allocations", "does not cover"),
        (payment(allocations=[{"invoice": "A", "amount": "-1"}]), "allocations", "does not cover"),
        (payment(allocations=[{"invoice": "A", "amount": "1.001"}]), "allocations.0.amount", "decimals"),
        (account(contacts=[{"email": "nobody"}]), "contacts.0.email", "not a mail address"),
        (entity(mailbox="a b@c"), "mailbox", "not a mail address"),
        (entity(currency="XXY"), "currency", "not an ISO 4217"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_words(document: Raw, field: str, words: str) -> None:
    found = problem(document)
    assert found is not None
    assert found[0] == field
    assert words in found[1]


@pytest.mark.parametrize(
    "document",
    [
        invoice(lines=[], net="100.01"),
        invoice(tax="20.00"),
        invoice(due="2026-01-10"),
        invoice(currency="TND", net="1.005", gross="1.206", open="0.001", lines=[]),
        invoice(net="33.33", gross="40.00", open="0", lines=lines(("0.333", "100.1"))),
        invoice(net="100.00", lines=[{"quantity": 300, "unit_price": "0.33", "amount": "100.00"}]),
        invoice(net="0.00", gross="20.00", open="20.00", lines=[]),
        payment(amount="-120.00"),
        account(contacts=[{"email": ""}, {"email": None}]),
    ],
)
def test_what_is_unusual_but_possible_passes(document: Raw) -> None:
    assert problem(document) is None


def test_a_line_amount_far_from_its_price_is_refused() -> None:
    found = problem(
        invoice(net="102.00", gross="120.00", lines=[{"quantity": 300, "unit_price": "0.33", "amount": "102.00"}])
    )
    assert found == ("lines.0.amount", "102.00 is not quantity times unit price (99.00)")


cents = st.decimals(min_value="0.01", max_value="10000", places=2)


@given(st.lists(st.tuples(st.integers(1, 500), cents), min_size=1, max_size=20), st.sampled_from([-1, 0, 1]))
def test_whole_cents_have_no_tolerance(parts: list[tuple[int, Decimal]], off: int) -> None:
    net = sum((quantity * price for quantity, price in parts), Decimal(0)) + off * Decimal("0.01")
    document = invoice(net=str(net), gross=str(net * 2), open="0", lines=lines(*((q, str(p)) for q, p in parts)))
    assert (problem(document) is None) == (off == 0)


@given(
    st.lists(
        st.tuples(st.decimals("0.001", "99", places=3), st.decimals("0.001", "99", places=4)), min_size=1, max_size=20
    )
)
def test_lines_may_be_rounded_one_by_one_or_together(parts: list[tuple[Decimal, Decimal]]) -> None:
    cent = Decimal("0.01")
    together = sum((quantity * price for quantity, price in parts), Decimal(0)).quantize(cent)
    apart = sum(((quantity * price).quantize(cent) for quantity, price in parts), Decimal(0))
    for net in (together, apart):
        document = invoice(net=str(net), gross=str(net), open="0", lines=lines(*((str(q), str(p)) for q, p in parts)))
        assert problem(document) is None
