"""The codes on a letter that pay it: EPC QR (SEPA) and Swiss QR-bill, as payloads and as pictures. Pure.

A code that a bank would refuse, or pay wrongly, is worse than none: everything that does not fit is refused in words.
Sources: EPC069-12 version 3 (Quick Response Code guidelines), SIX Swiss Implementation Guidelines QR-bill version 2.3.
"""

from dataclasses import dataclass
from decimal import Decimal
from io import BytesIO

import segno
from stdnum import bic as bics
from stdnum import iban as ibans

from app.core.errors import BadInput
from app.core.money import Money, exact
from letters.references import is_qr_iban, is_valid

LEAST, MOST = Decimal("0.01"), Decimal("999999999.99")
"""What both standards let a code ask for."""
_EPC_BYTES, _EPC_VERSION = 331, 13
_SWISS_CHARACTERS, _SWISS_VERSION = 997, 25
_SWISS_ACCOUNTS = frozenset({"CH", "LI"})
_SWISS_CURRENCIES = frozenset({"CHF", "EUR"})


class NoPaymentCode(BadInput):
    """What cannot be put into a code that a bank would read."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """A payload with the largest symbol (QR version) its standard allows, ready to be drawn. Error level M."""

    payload: str
    largest: int
    swiss_cross: bool = False

    def svg(self, side_mm: float) -> str:
        """The picture, quiet zone included, as wide as `side_mm`. The same payload gives the same bytes."""
        symbol = self._symbol()
        border = 0 if self.swiss_cross else 4  # the QR-bill's layout keeps 5 mm free around the symbol itself
        modules = symbol.symbol_size(border=border)[0]
        out = BytesIO()
        symbol.save(out, kind="svg", border=border, scale=side_mm / modules, unit="mm", xmldecl=False, nl=False)
        drawn = out.getvalue().decode()
        return drawn.replace("</svg>", _cross(side_mm) + "</svg>") if self.swiss_cross else drawn

    def png(self) -> bytes:
        """The picture as a PNG of one point a module, quiet zone included, to be enlarged without smoothing: a tenth
        of the time to print of the drawn one. The same payload gives the same bytes.
        """
        out = BytesIO()
        self._symbol().save(out, kind="png", border=4, scale=1)
        return out.getvalue()

    def _symbol(self) -> segno.QRCode:
        symbol = segno.make_qr(self.payload, error="m", boost_error=False, encoding="utf-8")
        if int(symbol.version) > self.largest:
            raise NoPaymentCode(f"The code would need symbol version {symbol.version}, {self.largest} is the largest")
        return symbol


def _cross(side_mm: float) -> str:
    """The Swiss cross, 7 mm in the middle of a symbol of 46 mm (SIX, QR-bill guidelines 6.4.2)."""
    unit, middle = side_mm / 46, side_mm / 2
    parts = ((7, 7, "#fff"), (6, 6, "#000"), (1.17, 3.89, "#fff"), (3.89, 1.17, "#fff"))
    return "".join(
        f'<rect x="{middle - wide * unit / 2:.4f}" y="{middle - high * unit / 2:.4f}" '
        f'width="{wide * unit:.4f}" height="{high * unit:.4f}" fill="{colour}"/>'
        for wide, high, colour in parts
    )


def epc(
    *, name: str, iban: str, money: Money, bic: str = "", reference: str = "", text: str = "", purpose: str = ""
) -> Matrix:
    """A SEPA transfer (EPC069-12): to `name` at `iban`, with an ISO 11649 reference or a text, never both.

    Raises NoPaymentCode for another currency than EUR, amounts out of range, and fields that are wrong or too long.
    """
    if money.currency != "EUR":
        raise NoPaymentCode(f"A SEPA code pays euros, not {money.currency}: print the bank details alone")
    if reference and text:
        raise NoPaymentCode("A SEPA code carries a reference or a text, never both")
    if reference and not is_valid("RF", reference):
        raise NoPaymentCode(f"{reference!r} is no ISO 11649 reference: put it into the text instead")
    lines = (
        "BCD",
        "002",
        "1",
        "SCT",
        _bic(bic),
        _field("name", name, 70, needed=True),
        _iban(iban),
        f"EUR{_amount(money)}",
        _field("purpose", purpose, 4),
        "".join(reference.split()),
        _field("text", text, 140),
    )
    payload = "\n".join(lines).rstrip("\n")
    if len(payload.encode()) > _EPC_BYTES:
        raise NoPaymentCode(f"A SEPA code holds {_EPC_BYTES} bytes, this one has {len(payload.encode())}: shorten it")
    return Matrix(payload, _EPC_VERSION)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostalAddress:
    """A structured address, the only kind a QR-bill knows since November 2025 (SIX 2.3, address type S)."""

    name: str
    street: str = ""
    building: str = ""
    postal_code: str
    town: str
    country: str

    def lines(self) -> tuple[str, ...]:
        """The seven lines of the payload. Raises NoPaymentCode."""
        return (
            "S",
            _swiss("name", self.name, 70, needed=True),
            _swiss("street", self.street, 70),
            _swiss("building number", self.building, 16),
            _swiss("postal code", self.postal_code, 16, needed=True),
            _swiss("town", self.town, 35, needed=True),
            _swiss("country", self.country, 2, needed=True),
        )

    def fits(self) -> bool:
        """Whether it can stand in a QR-bill: a debtor that cannot is left out, and the payer writes it."""
        try:
            self.lines()
        except NoPaymentCode:
            return False
        return True


_NOBODY = ("",) * 7


def swiss(
    *,
    account: str,
    creditor: PostalAddress,
    money: Money,
    debtor: PostalAddress | None = None,
    reference: str = "",
    message: str = "",
    bill_information: str = "",
) -> Matrix:
    """A QR-bill (SIX 2.3, payload version 0200). `message` and `bill_information` share 140 characters.

    A QR-IBAN needs a QR reference and no other account may carry one; any other reference must be ISO 11649.
    """
    iban = _iban(account)
    if iban[:2] not in _SWISS_ACCOUNTS:
        raise NoPaymentCode(f"A QR-bill is paid to an account of Switzerland or Liechtenstein, not {iban[:2]}")
    if money.currency not in _SWISS_CURRENCIES:
        raise NoPaymentCode(f"A QR-bill is in CHF or EUR, not {money.currency}: print the bank details alone")
    told = _swiss("message", message, 140), _swiss("bill information", bill_information, 140)
    if len("".join(told)) > 140:  # noqa: PLR2004 - length by the SIX guidelines
        raise NoPaymentCode("The message and the bill information of a QR-bill have 140 characters together")
    lines = [
        *("SPC", "0200", "1", iban),
        *creditor.lines(),
        *_NOBODY,
        *(str(_amount(money)), money.currency),
        *(debtor.lines() if debtor else _NOBODY),
        *_swiss_reference(iban, reference),
        told[0],
        "EPD",
        told[1],
    ]
    payload = "\n".join(lines).rstrip("\n")
    if len(payload) > _SWISS_CHARACTERS:
        raise NoPaymentCode(f"A QR-bill holds {_SWISS_CHARACTERS} characters, this one has {len(payload)}")
    return Matrix(payload, _SWISS_VERSION, swiss_cross=True)


def _swiss_reference(iban: str, reference: str) -> tuple[str, str]:
    plain = "".join(reference.split()).upper()
    if is_qr_iban(iban):
        if not is_valid("QRR", plain):
            raise NoPaymentCode(f"The QR-IBAN {iban} needs a QR reference of 27 digits, {reference!r} is none")
        return "QRR", plain
    if not plain:
        return "NON", ""
    if not is_valid("RF", plain):
        raise NoPaymentCode(f"{reference!r} is no ISO 11649 reference; a QR reference needs a QR-IBAN")
    return "SCOR", plain


def _amount(money: Money) -> Decimal:
    amount = exact(money.amount, money.currency)
    if not LEAST <= amount <= MOST:
        raise NoPaymentCode(f"A payment code asks for {LEAST} to {MOST} {money.currency}, not {amount}")
    return amount


def _iban(account: str) -> str:
    if not ibans.is_valid(account):
        raise NoPaymentCode(f"{account!r} is no IBAN: correct the entity's bank details")
    return str(ibans.compact(account))


def _bic(code: str) -> str:
    if code and not bics.is_valid(code):
        raise NoPaymentCode(f"{code!r} is no BIC: correct it or leave it empty, which SEPA allows")
    return str(bics.compact(code)) if code else ""


def _field(what: str, text: str, most: int, *, needed: bool = False) -> str:
    """One line: line breaks and runs of spaces become a space, so that no field can reach into the next."""
    plain = " ".join(text.split())
    if needed and not plain:
        raise NoPaymentCode(f"A payment code needs the {what}")
    if len(plain) > most:
        raise NoPaymentCode(f"The {what} of a payment code has at most {most} characters, {plain!r} has {len(plain)}")
    if not plain.isprintable():
        raise NoPaymentCode(f"The {what} of a payment code has a control character: {plain!r}")
    return plain


def _swiss(what: str, text: str, most: int, *, needed: bool = False) -> str:
    plain = _field(what, text, most, needed=needed)
    strange = sorted({char for char in plain if not _is_swiss(char)})
    if strange:
        raise NoPaymentCode(f"A QR-bill knows Latin letters only, the {what} has {', '.join(strange)}")
    return plain


def _is_swiss(char: str) -> bool:
    """The character set of version 2.3: Basic Latin, Latin-1, Latin Extended-A, Ș ș Ț ț and €."""
    return " " <= char <= "~" or "\u00a0" <= char <= "\u017f" or "\u0218" <= char <= "\u021b" or char == "€"
