"""Everything a letter is made from: plain frozen values, kept as JSON beside the PDF.

The same facts and the same template give the same letter, today and in ten years (`as_json`, `from_json`).
"""

from base64 import urlsafe_b64decode
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from io import BytesIO
from typing import Literal

from PIL import Image, UnidentifiedImageError
from pydantic import ConfigDict, Field, field_validator, model_validator

from app.core.money import exact, known_currency
from disputes.rulebook import Rules
from letters.balance import Reason
from letters.interest import Claim
from letters.kinds import Kind, Language
from letters.laws import Customer
from letters.payment_codes import PostalAddress

ZERO = Decimal(0)
_LARGEST_LOGO = 4_000_000
Window = Literal["din_a", "din_b", "right", "swiss"]
"""Where the envelope's window is: DIN 5008 form A or B (left), NF Z 11-001 (right), Swiss Post (right)."""


class Bank(Rules):
    """The account to pay to."""

    holder: str = Field(min_length=1, max_length=200)
    iban: str = Field(min_length=15, max_length=42)
    bic: str = Field(default="", max_length=11)
    name: str = Field(default="", max_length=100)


class Letterhead(Rules):
    """The entity that writes. `address` is printed line by line; `postal` is the same for a Swiss QR-bill, which needs
    its parts. `legal` are the lines of the foot (form, register, capital, VAT number); `logo` a PNG or JPEG picture.
    """

    model_config = ConfigDict(ser_json_bytes="base64")

    name: str = Field(min_length=1, max_length=200)
    country: str = Field(pattern=r"^[A-Z]{2}$")
    address: tuple[str, ...] = ()
    postal: PostalAddress | None = None
    phone: str = ""
    email: str = ""
    web: str = ""
    legal: tuple[str, ...] = ()
    bank: Bank | None = None
    logo: bytes | None = Field(default=None, max_length=2_000_000, repr=False)
    accent: str = Field(default="#234f68", pattern=r"^#[0-9a-fA-F]{6}$")
    window: Window | None = None
    place: str = Field(default="", max_length=80)

    @field_validator("logo", mode="before")
    @classmethod
    def _kept(cls, logo: object) -> object:
        """As JSON and policies keep it: base64 in the alphabet of addresses (RFC 4648 5), which pydantic writes."""
        return urlsafe_b64decode(logo) if isinstance(logo, str) else logo

    @field_validator("logo")
    @classmethod
    def _picture(cls, logo: bytes | None) -> bytes | None:
        """A picture that unpacks to more than a sheet can show is a bomb; its head says how large it is."""
        if logo is None:
            return None
        try:
            with Image.open(BytesIO(logo), formats=("PNG", "JPEG")) as picture:
                wide, high = picture.size
        except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
            raise ValueError("the logo is no PNG or JPEG picture") from error
        if wide * high > _LARGEST_LOGO:
            raise ValueError(f"the logo is {wide} x {high} points: make it smaller than {_LARGEST_LOGO:,} in all")
        return logo


class Recipient(Rules):
    """Whom the letter is to. `address` are the lines below the name: refused in words where there are none and the
    letter goes by post. `person` is greeted by name; `postal` is for a QR-bill.
    """

    name: str = Field(min_length=1, max_length=300)
    person: str = Field(default="", max_length=200)
    address: tuple[str, ...] = Field(default=(), max_length=8)
    country: str = Field(default="", pattern=r"^([A-Z]{2})?$")
    postal: PostalAddress | None = None


class Signature(Rules):
    """The person who writes and answers, with the hours they can be reached, in words of the letter's language."""

    name: str = Field(min_length=1, max_length=200)
    role: str = Field(default="", max_length=200)
    phone: str = Field(default="", max_length=60)
    email: str = Field(default="", max_length=320)
    hours: str = Field(default="", max_length=120)


class Row(Rules):
    """An invoice, credit note or payment of a letter. `amount` is its sum with VAT, below zero for what lowers the
    debt; `open_amount` what is unpaid of it; `asked` what this letter asks for; `disputed` and `credited` what was
    decided about it.
    """

    number: str = Field(min_length=1, max_length=60)
    kind: Literal["invoice", "credit_note", "payment"] = "invoice"
    issued: date | None = None
    due: date | None = None
    currency: str
    amount: Decimal
    open_amount: Decimal | None = None
    asked: Decimal | None = None
    disputed: Decimal | None = None
    credited: Decimal | None = None
    days_late: int | None = None
    reference: str = Field(default="", max_length=60)

    @model_validator(mode="after")
    def _whole_cents(self) -> "Row":
        _known(self.currency)
        for amount in (self.amount, self.open_amount, self.asked, self.disputed, self.credited):
            if amount is not None:
                exact(amount, self.currency)
        return self

    @property
    def remains(self) -> Decimal:
        """What of the disputed sum is still to be paid after the decision."""
        return (self.disputed or ZERO) - (self.credited or ZERO)


class LeftOut(Rules):
    """What the letter does not ask for, and why (letters.balance.Part)."""

    number: str
    currency: str
    amount: Decimal
    reason: Reason


class Earlier(Rules):
    """A letter that went before, named by a formal notice."""

    day: date
    kind: Kind


class Instalment(Rules):
    """One payment of a plan."""

    day: date
    currency: str
    amount: Decimal = Field(gt=0)


class Fee(Rules):
    """A fee of a dunning level, and the contract or law it is owed by."""

    currency: str
    amount: Decimal = Field(gt=0)
    source: str = Field(min_length=1)


class LetterFacts(Rules):
    """Everything a letter is made from. `day` is its date; `reference` our number of the letter, `yours` the customer's
    own reference; `payment_reference` a structured one (letters.references.make), printed and put into the codes.

    `claim` is interest and compensation as letters.claiming made it, under the law of the letterhead's country against
    a `customer` of that kind. `reasons` are paragraphs that a person wrote about a decision, `note` one for this
    customer alone; both in the letter's language. `by_post`: an address must stand in the window.
    """

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    kind: Kind
    language: Language
    day: date
    seller: Letterhead
    recipient: Recipient
    signature: Signature
    account_number: str = Field(min_length=1, max_length=60)
    reference: str = ""
    case_number: str = ""
    yours: str = ""
    customer: Customer = "business"
    rows: tuple[Row, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    claim: Claim | None = None
    fees: tuple[Fee, ...] = ()
    pay_by: date | None = None
    earlier: tuple[Earlier, ...] = ()
    instalments: tuple[Instalment, ...] = ()
    payment_reference: str = ""
    subject_matter: str = Field(default="", max_length=300)
    reasons: tuple[str, ...] = ()
    note: str = Field(default="", max_length=5000)
    credit_notes: tuple[str, ...] = ()
    answer_by: date | None = None
    enclosures: tuple[str, ...] = ()
    by_post: bool = True

    @field_validator("fees", "instalments", "left_out")
    @classmethod
    def _whole_cents(cls, found: tuple[Fee | Instalment | LeftOut, ...]) -> tuple[Fee | Instalment | LeftOut, ...]:
        for one in found:
            _known(one.currency)
            exact(one.amount, one.currency)
        return found

    def as_json(self) -> str:
        """To be kept beside the letter."""
        return self.model_dump_json(by_alias=True)

    @classmethod
    def from_json(cls, text: str) -> "LetterFacts":
        """What `as_json` kept."""
        return cls.model_validate_json(text)

    @property
    def asked(self) -> Mapping[str, Decimal]:
        """What the rows ask for, by currency."""
        return sums((row.currency, row.asked) for row in self.rows if row.asked is not None)

    @property
    def totals(self) -> Mapping[str, Decimal]:
        """What the letter asks for in all, by currency: rows, interest, compensation, fees."""
        claimed = [*self.claim.interest.items(), *self.claim.compensation.items()] if self.claim else []
        return sums([*self.asked.items(), *claimed, *((fee.currency, fee.amount) for fee in self.fees)])


def sums(amounts: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    """Amounts added up by currency, in the order the currencies come."""
    found: dict[str, Decimal] = {}
    for currency, amount in amounts:
        found[currency] = found.get(currency, ZERO) + amount
    return found


def _known(currency: str) -> None:
    if not known_currency(currency):
        raise ValueError(f"{currency} is no currency")
