"""What an ERP sends: the shape of its documents, read from JSON or plain values. Pure: no database, no clock.

The shape is strict (unknown fields are refused, S19); whether the figures make sense is invoices.checks' business.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, from_json

PLAIN = r"^[^\p{Cc}]*$"
"""No control character (NUL among them: PostgreSQL cannot store it). pydantic runs it on Rust's linear-time engine."""

LINES = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
"""As PLAIN, but line breaks and tabs are welcome."""

Code = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=PLAIN)]
Number = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=PLAIN)]
OptionalNumber = Annotated[str, StringConstraints(max_length=60, pattern=PLAIN)] | None
PaymentReference = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=PLAIN)]
Short = Annotated[str, StringConstraints(max_length=60, pattern=PLAIN)]
Label = Annotated[str, StringConstraints(max_length=120, pattern=PLAIN)]
Name = Annotated[str, StringConstraints(max_length=200, pattern=PLAIN)]
LongName = Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=PLAIN)]
Words = Annotated[str, StringConstraints(max_length=400, pattern=LINES)]
Address = Annotated[str, StringConstraints(max_length=2_000, pattern=LINES)]
Mail = Annotated[str, StringConstraints(max_length=320, pattern=PLAIN)]
CountryCode = Annotated[str, StringConstraints(to_upper=True, pattern=r"^[A-Za-z]{2}$")]
LanguageCode = Annotated[str, StringConstraints(to_lower=True, pattern=r"^([A-Za-z]{2}([-_][A-Za-z]{2})?)?$")]
CurrencyCode = Annotated[str, StringConstraints(min_length=3, max_length=3, pattern=PLAIN)]
Version = int | str | None


class Part(BaseModel):
    """A piece of a document. Numbers are welcome where text is wanted: ERPs send account 4110001 either way."""

    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=True, str_strip_whitespace=True)


class EntityDocument(Part):
    """A legal entity of the seller; `id` is its code, which other documents name as `entity`."""

    type: Literal["entity"] = "entity"
    id: Code
    name: Name
    country: CountryCode
    currency: CurrencyCode
    language: LanguageCode | None = None
    mailbox: Mail | None = None
    version: Version = None


class ContactPart(Part):
    """A person at an account."""

    name: Name = ""
    email: Mail | None = None
    role: Label = ""
    phone: Short = ""


class AccountDocument(Part):
    """A customer of one entity with all its contacts: those not named any more are dropped.

    `group` is the ERP's own code of a customer group (key accounts, public buyers); reminders may go by it.
    """

    type: Literal["account", "customer"] = "account"
    account: Number
    entity: Code
    name: LongName
    language: LanguageCode | None = None
    country: CountryCode | None = None
    address: Address = ""
    terms_days: Annotated[int, Field(ge=0, le=1_000)] | None = None
    vat_number: Annotated[str, StringConstraints(max_length=30, pattern=PLAIN)] | None = None
    iban: Annotated[str, StringConstraints(max_length=40, pattern=PLAIN)] | None = None
    group: Annotated[str, StringConstraints(max_length=40, pattern=PLAIN)] | None = None
    contacts: Annotated[tuple[ContactPart, ...], Field(max_length=1_000)] = ()
    version: Version = None


class LinePart(Part):
    """One line; `unit_price` is net. `amount` is the line's net amount, for ERPs that round unit prices."""

    sku: Annotated[str, StringConstraints(max_length=80, pattern=PLAIN)] = ""
    text: Words = ""
    quantity: Decimal
    unit_price: Decimal
    amount: Decimal | None = None


class InvoiceDocument(Part):
    """An invoice or a credit note (`type` or `kind` says so); a credit note's amounts are negative.

    `open` is what the ERP says is unpaid, `po` the customer's order number, `order` the seller's, `credits` the
    number of the invoice a credit note is for.
    """

    type: Literal["invoice", "credit_note"] = "invoice"
    kind: Literal["invoice", "credit_note"] | None = None
    number: Number
    entity: Code
    account: Number
    issued: date
    due: date
    currency: CurrencyCode
    net: Decimal
    tax: Decimal | None = None
    gross: Decimal
    open: Decimal
    po: OptionalNumber = None
    order: OptionalNumber = None
    delivery: OptionalNumber = None
    credits: OptionalNumber = None
    lines: Annotated[tuple[LinePart, ...], Field(max_length=10_000)] = ()
    version: Version = None


class AllocationPart(Part):
    """Part of a payment put against one invoice; without `amount` the ERP does not tell the split."""

    invoice: Number
    amount: Decimal | None = None


class PaymentDocument(Part):
    """Money received. What it was put against is in `invoices` (numbers alone) or `allocations` (with amounts)."""

    type: Literal["payment"] = "payment"
    reference: PaymentReference
    account: Number
    entity: Code
    currency: CurrencyCode
    received: date
    amount: Decimal
    invoices: Annotated[tuple[Number, ...], Field(max_length=10_000)] = ()
    allocations: Annotated[tuple[AllocationPart, ...], Field(max_length=10_000)] = ()
    version: Version = None


Document = EntityDocument | AccountDocument | InvoiceDocument | PaymentDocument

TYPES = ("entity", "account", "invoice", "credit_note", "payment")
"""The values of `type`; "customer" is accepted for "account"."""

COLLECTIONS = {
    "entities": "entity",
    "customers": "account",
    "accounts": "account",
    "invoices": "invoice",
    "credit_notes": "credit_note",
    "payments": "payment",
}
"""The lists of a whole ledger file, and the type of the documents in each."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A document that cannot be taken: which field, why, and as much of its identity as could be read.

    `shape` tells a document that is none at all (not JSON, an unknown or a missing field) from one that makes no sense.
    """

    field: str
    reason: str
    type: str = ""
    entity: str = ""
    number: str = ""
    shape: bool = False


class Problem(NamedTuple):
    """What is wrong with a document's content: the field and the reason in words."""

    field: str
    reason: str


_ADAPTER: TypeAdapter[Document] = TypeAdapter(Annotated[Document, Field(discriminator="type")])


def read(raw: bytes | str | Mapping[str, Any]) -> Document | Refused:
    """The document in a line of JSON or in values already read; Refused when it has not the shape of one."""
    try:
        if isinstance(raw, (bytes, str)):
            return _ADAPTER.validate_json(raw)
        return _ADAPTER.validate_python(raw)
    except ValidationError as error:
        return _refused(raw, error.errors(include_url=False)[0])


def refused(document: Document, problem: Problem) -> Refused:
    """A well-shaped document refused for its content."""
    return Refused(*problem, type=type_of(document), entity=entity_of(document), number=number_of(document))


def type_of(document: Document) -> str:
    """The document's type as answers name it."""
    if isinstance(document, InvoiceDocument):
        return kind_of(document)
    return "account" if isinstance(document, AccountDocument) else document.type


def kind_of(document: InvoiceDocument) -> str:
    """Whether it is an "invoice" or a "credit_note": `kind` says so where the type is the general one."""
    return "credit_note" if document.type == "credit_note" else document.kind or document.type


def entity_of(document: Document) -> str:
    """The code of the entity a document belongs to."""
    return document.id if isinstance(document, EntityDocument) else document.entity


def number_of(document: Document) -> str:
    """What names the document inside its entity."""
    if isinstance(document, InvoiceDocument):
        return document.number
    if isinstance(document, PaymentDocument):
        return document.reference
    return document.account if isinstance(document, AccountDocument) else document.id


def version_key(version: int | str | None) -> str:
    """A source version as text that sorts as the versions do; '' for none.

    A whole number counts upwards, a time is made UTC. Raises ValueError for anything else.
    """
    if version is None or version == "":
        return ""
    text = str(version)
    if text.isascii() and text.isdigit() and len(text) <= _VERSION_DIGITS:
        return text.zfill(_VERSION_DIGITS)
    try:
        moment = datetime.fromisoformat(text)
        aware = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError("is neither a whole number nor a time such as 2026-03-31T08:15:00Z") from error
    return aware.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


_VERSION_DIGITS = 19


def _refused(raw: bytes | str | Mapping[str, Any], error: ErrorDetails) -> Refused:
    values = _as_mapping(raw)
    place = [str(part) for part in error["loc"]]
    if place and place[0] in {*TYPES, "customer"}:
        place = place[1:]
    number = next((values[key] for key in ("number", "reference", "account", "id") if values.get(key)), "")
    return Refused(
        field=".".join(place) or ("type" if "tag" in error["type"] else ""),
        reason=_in_words(error),
        type=str(values.get("type", ""))[:20],
        entity=str(values.get("entity", values.get("id", "")))[:40],
        number=str(number)[:80],
        shape=True,
    )


def _as_mapping(raw: bytes | str | Mapping[str, Any]) -> Mapping[str, Any]:
    """The values of a refused document, as far as they can be read, to say which one it was."""
    if isinstance(raw, (bytes, str)):
        try:
            raw = from_json(raw)
        except ValueError:
            return {}
    return raw if isinstance(raw, Mapping) else {}


_PATTERNS: dict[str, str] = {
    PLAIN: "holds a control character",
    LINES: "holds a control character",
    r"^[A-Za-z]{2}$": "is not an ISO 3166 country code of two letters",
    r"^([A-Za-z]{2}([-_][A-Za-z]{2})?)?$": "is not a language code such as fr or pt-BR",
}


_REASONS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "missing": lambda _: "is missing",
    "extra_forbidden": lambda _: "is not a known field",
    "json_invalid": lambda context: f"is not JSON: {context['error']}",
    "union_tag_not_found": lambda _: f"is missing: one of {', '.join(TYPES)}",
    "union_tag_invalid": lambda _: f"is unknown: one of {', '.join(TYPES)}",
    "model_attributes_type": lambda _: "is not a JSON object",
    "dict_type": lambda _: "is not a JSON object",
    "string_too_long": lambda context: f"is longer than {context['max_length']} characters",
    "string_too_short": lambda context: f"is shorter than {context['min_length']} characters",
    "string_pattern_mismatch": lambda context: _PATTERNS.get(context["pattern"], "has not the form it should have"),
    "string_type": lambda _: "is not text",
    "string_unicode": lambda _: "is not valid Unicode text",
    "too_long": lambda context: f"has more than {context['max_length']} entries",
    "tuple_type": lambda _: "is not a list",
    "literal_error": lambda context: f"is not one of {context['expected']}",
    "model_type": lambda _: "is not an object",
    **dict.fromkeys(
        ("decimal_parsing", "decimal_type", "finite_number", "decimal_max_digits"),
        lambda _: "is not a number; write it like 1234.50",
    ),
    **dict.fromkeys(
        (
            "date_type",
            "date_parsing",
            "date_from_datetime_parsing",
            "date_from_datetime_inexact",
            "date_from_datetime_range",
        ),
        lambda _: "is not a date; write it like 2026-03-31",
    ),
}


def _in_words(error: ErrorDetails) -> str:
    words = _REASONS.get(error["type"])
    return words(error.get("ctx", {})) if words else error["msg"]
