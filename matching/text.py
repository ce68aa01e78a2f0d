"""Text as the matcher reads it: cleaned with its way back to the original, names, mail domains."""

import unicodedata
from typing import NamedTuple

import re2

_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
_BLANKS = "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\t"
_QUOTES = "\u2018\u2019\u201b\u02bc\u00b4`"
_DROPPED = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
_UNIFIED = str.maketrans({**dict.fromkeys(_DASHES, "-"), **dict.fromkeys(_BLANKS, " "), **dict.fromkeys(_QUOTES, "'")})
_DROP = frozenset(_DROPPED)
_ORDINALS = str.maketrans({"\u00ba": "\u00b0", "\u00aa": "\u00b0"})  # nº is written for n°; NFKC would make it "no"
_DOTTED = re2.compile(r"\b(?:[A-Z]\.){2,}[A-Z]?\b\.?")


class Kept(dict[int, int]):
    """A translation table that keeps some characters and makes blanks of all others: far faster than a pattern."""

    def __init__(self, kept: str) -> None:
        super().__init__({code: code if chr(code) in kept else _BLANK for code in range(128)})

    def __missing__(self, code: int) -> int:
        return _BLANK


_BLANK = ord(" ")
_WORD_CHARACTERS = Kept("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
_DIGITS = Kept("0123456789")


class Cleaned(NamedTuple):
    """Upper-case text for matching; `offsets[i]` is the place of its i-th character in the original, None = same."""

    text: str
    offsets: tuple[int, ...] | None

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The span of the original text that cleaned characters start..end came from."""
        if self.offsets is None or end <= start:
            return start, end
        return self.offsets[start], self.offsets[end - 1] + 1


def clean(text: str) -> str:
    """NFKC, dashes, blanks and quotes unified, upper case, soft hyphens and zero-width characters dropped."""
    return clean_with_offsets(text).text


def clean_with_offsets(text: str) -> Cleaned:
    """`clean`, keeping the way back to the original so that evidence can be marked in the mail."""
    unified = text.translate(_UNIFIED) if not text.isascii() else text.replace("\t", " ")
    upper = unified.translate(_ORDINALS).upper()
    same = len(upper) == len(text) and (unified.isascii() or _is_plain(upper))
    return Cleaned(upper, None) if same else _clean_slowly(text)


def _is_plain(upper: str) -> bool:
    return unicodedata.is_normalized("NFKC", upper) and _DROP.isdisjoint(upper)


def _clean_slowly(text: str) -> Cleaned:
    """Character by character: needed only where NFKC or upper case changes the length."""
    pieces, offsets = [], []
    for place, char in enumerate(text):
        if char.isascii():
            pieces.append(char.upper() if char != "\t" else " ")
            offsets.append(place)
            continue
        if char in _DROP or unicodedata.combining(char):
            continue
        piece = unicodedata.normalize("NFKC", char.translate(_UNIFIED).translate(_ORDINALS)).translate(_UNIFIED).upper()
        pieces.append(piece)
        offsets.extend([place] * len(piece))
    return Cleaned("".join(pieces), tuple(offsets))


def _plain_letter(code: int) -> str:
    """The base letter of an accented one; one character for one, so that spans stay true."""
    base = unicodedata.normalize("NFD", chr(code))[0]
    return (
        base
        if base.isascii()
        else {"Ø": "O", "Œ": "O", "Æ": "A", "Ł": "L", "Đ": "D", "ß": "S"}.get(chr(code), chr(code))
    )


_ACCENTS = {code: _plain_letter(code) for code in range(0xC0, 0x180) if chr(code).isalpha()}


def fold(cleaned: str) -> str:
    """Cleaned text without accents, character for character (É -> E), so that spans are those of the cleaned text."""
    return cleaned if cleaned.isascii() else cleaned.translate(_ACCENTS)


def _set(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


# Legal forms of the six languages' countries, and words that tell no two companies apart.
_LEGAL_FORMS = _set(
    "SAS SASU SARL SA SCI EURL SNC SCOP SCA GIE GMBH AG KG OHG KGAA UG EK GBR MBH EV BV BVBA NV VOF CV CVBA SRL SPA "
    "SAPA SNC SL SLU SLNE SLL SC SCOOP SAL LTD LIMITED PLC LLP LLC LP INC CORP CO AB OY APS SE CIE COMPANY"
)
_COMMON_WORDS = _set(
    "ET AND UND EN Y E I DE DU DES LA LE LES L D VAN VON DER DEN DEL DELLA DI THE OF FOR SONS FILS FIGLI HIJOS SOHN "
    "SOEHNE ZOON ETS ETABLISSEMENTS SOCIETE GROUP GROUPE GRUPO GRUPPO HOLDING INTERNATIONAL GESELLSCHAFT"
)


def folded_words(folded: str) -> list[str]:
    """The words of folded text: runs of letters and digits."""
    return folded.translate(_WORD_CHARACTERS).split()


def words(text: str) -> list[str]:
    """The words of a text in upper case without accents."""
    return folded_words(fold(clean(text)))


def digit_runs(text: str) -> list[str]:
    """The runs of ASCII digits in a text."""
    return text.translate(_DIGITS).split()


def name_tokens(name: str) -> tuple[str, ...]:
    """
    The tokens that tell a company by its name, without legal forms, in order and once each.

    A name of nothing but common words keeps them: better a weak token than none.
    """
    folded = _DOTTED.sub(lambda match: match.group(0).replace(".", ""), fold(clean(name)))
    every = dict.fromkeys(folded_words(folded))
    telling = tuple(
        token for token in every if token not in _LEGAL_FORMS and token not in _COMMON_WORDS and len(token) > 1
    )
    return telling or tuple(every)


def email_domain(address: str) -> str:
    """The domain of a mail address in lower case, '' where there is none."""
    _, at, domain = address.strip().strip("<>").rpartition("@")
    return domain.strip().rstrip(".").lower() if at else ""


# Mailbox providers and services that write for many companies: their domains identify nobody (matching.md §2).
_SHARED_DOMAINS = _set(
    "gmail.com googlemail.com outlook.com outlook.fr outlook.de hotmail.com hotmail.fr hotmail.co.uk live.com live.fr "
    "live.nl msn.com yahoo.com yahoo.fr yahoo.de yahoo.es yahoo.it yahoo.co.uk ymail.com aol.com icloud.com me.com "
    "mac.com proton.me protonmail.com pm.me gmx.de gmx.net gmx.at gmx.ch web.de t-online.de freenet.de orange.fr "
    "wanadoo.fr free.fr sfr.fr laposte.net bbox.fr neuf.fr libero.it virgilio.it alice.it tiscali.it tin.it pec.it "
    "aruba.it legalmail.it telefonica.net terra.es btinternet.com btopenworld.com sky.com talktalk.net virginmedia.com "
    "ntlworld.com skynet.be telenet.be proximus.be scarlet.be ziggo.nl kpnmail.nl planet.nl xs4all.nl hetnet.nl "
    "bluewin.ch mail.com zoho.com fastmail.com yandex.com  docusign.net sendgrid.net "
    "mailchimpapp.net amazonses.com coupahost.com ansmtp.ariba.com ariba.com tradeshift.com basware.com"
)
_SHARED_LABELS = frozenset({"freemail", "webmail", "hotmail", "gmail", "yahoo", "gmx", "courriel"})


def is_shared_domain(domain: str) -> bool:
    """Whether a domain is used by people of many companies (freemail, shared services), so that it is no identity."""
    lowered = domain.lower()
    return lowered in _SHARED_DOMAINS or lowered.partition(".")[0] in _SHARED_LABELS
