import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoices.feed import InvoiceDocument, Refused, number_of, read, type_of, version_key
from tests.invoices.documents import Raw, account, credit_note, entity, invoice, payment


@pytest.mark.parametrize(
    "document", [entity(), account(), invoice(), credit_note(), payment()], ids=lambda d: d["type"]
)
def test_a_document_reads_the_same_as_json_and_as_values(document: Raw) -> None:
    found = read(document)
    assert not isinstance(found, Refused)
    assert found == read(json.dumps(document))
    assert type_of(found) == document["type"]


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"colour": "red"}, "colour", "not a known field"),
        ({"net": "12,50"}, "net", "not a number"),
        ({"net": "NaN"}, "net", "not a number"),
        ({"issued": "31/03/2026"}, "issued", "not a date"),
        ({"issued": 20260331}, "issued", "not a date"),
        ({"number": "X" * 61}, "number", "longer than 60"),
        ({"number": " "}, "number", "shorter than 1"),
        ({"number": "FA\x001"}, "number", "control character"),
        ({"po": "A\nB"}, "po", "control character"),
        ({"number": "\ud800"}, "number", "Unicode"),
        ({"number": None}, "number", "not text"),
        ({"kind": "proforma"}, "kind", "not one of"),
        ({"lines": [{"quantity": "two", "unit_price": "1"}]}, "lines.0.quantity", "not a number"),
        ({"lines": [{"quantity": 2, "unit_price": "1", "colour": ""}]}, "lines.0.colour", "not a known field"),
        ({"lines": "none"}, "lines", "not a list"),
        ({"type": "quote"}, "type", "unknown: one of entity, account"),
    ],
)
def test_a_document_of_another_shape_is_refused_in_words(changes: Raw, field: str, words: str) -> None:
    found = read(invoice(**changes))
    assert isinstance(found, Refused)
    assert (found.field, found.shape) == (field, True)
    assert words in found.reason


def test_a_refused_document_still_says_which_one_it_was() -> None:
    found = read(json.dumps(invoice(gross=None)))
    assert isinstance(found, Refused)
    assert (found.type, found.entity, found.number) == ("invoice", "FR01", "FA-2026-00187")


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"12", b"null", b"\xff", b'{"type": 1}', b"[" * 5000])
def test_what_is_no_document_is_refused_without_a_fuss(raw: bytes) -> None:
    found = read(raw)
    assert isinstance(found, Refused)
    assert found.reason


def test_a_missing_field_is_named() -> None:
    document = invoice()
    del document["due"]
    found = read(document)
    assert isinstance(found, Refused)
    assert (found.field, found.reason) == ("due", "is missing")


def test_numbers_may_be_sent_as_numbers() -> None:
    found = read(b'{"type":"account","account":4110001,"entity":"FR01","name":"A"}')
    assert not isinstance(found, Refused)
    assert number_of(found) == "4110001"


def test_the_list_of_a_ledger_file_tells_credit_notes_by_kind() -> None:
    found = read(credit_note() | {"type": "invoice", "kind": "credit_note"})
    assert isinstance(found, InvoiceDocument)
    assert type_of(found) == "credit_note"


@given(st.integers(0, 10**18), st.integers(0, 10**18))
def test_numbered_versions_sort_as_numbers(one: int, other: int) -> None:
    assert (version_key(one) < version_key(str(other))) == (one < other)


@given(st.datetimes(timezones=st.timezones()), st.datetimes(timezones=st.timezones()))
def test_timed_versions_sort_as_times(one: Any, other: Any) -> None:
    if 1 < one.year < 9999 and 1 < other.year < 9999:
        assert (version_key(one.isoformat()) < version_key(other.isoformat())) == (one < other)


@pytest.mark.parametrize("version", ["v7", "-1", "7.5", "yesterday", "9" * 20])
def test_a_version_of_neither_kind_is_refused(version: str) -> None:
    with pytest.raises(ValueError, match="neither a whole number nor a time"):
        version_key(version)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_no_value_breaks_the_reader(value: Any) -> None:
    assert read({"type": "invoice", "number": value, "lines": value, "net": value})
    assert isinstance(read(value), Refused)
