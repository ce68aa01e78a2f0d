"""How well were you looked after? Signed links by which a customer tells, without a password. Pure (S13).

A link is 128 bits of HMAC-SHA256 over the case and the day it ends. It opens nothing but the question: whoever holds
the mail may rate that one case, and change their mind for a week.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

import re2

ASKED = "satisfaction"
"""The kind of mail that asks."""
_BY_MAIL = re2.compile(
    r"(?i)^\s*(?:(?:note|rating|bewertung|nota|voto|cijfer)\s*:?\s*)?([1-5])\s*"
    r"(?:(?:/|sur|out of|von|de|su|van)\s*5)?\s*[.!*,;:-]*\s*$"
)
LINKED_FOR = timedelta(days=60)
"""So long a link works: asked in August, answered after the holidays."""
CHANGED_FOR = timedelta(days=7)
"""So long after the first answer it may be changed."""
MOST_ANSWERS = 20
"""Changes of one case's answer, at most."""
RATINGS = (1, 2, 3, 4, 5)
POOR = 2
"""From here down somebody calls the customer."""
LONGEST_COMMENT = 2000
_MAC_BYTES = 16
_EPOCH_DAY = 719_163
_TOKEN = re2.compile(r"^([0-9]{1,18})\.([0-9]{1,6})\.([0-9a-f]{32})$")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a genuine link asks about; `ended` once its time is over."""

    case_id: int
    ended: bool


@dataclass(frozen=True, slots=True)
class RatingLinks:
    """Makes and checks links, with the installation's key for "rating link". `base` is the public address."""

    key: bytes
    base: str = ""

    def link(self, *, case_id: int, now: datetime) -> str:
        """The address to put into a mail."""
        last_day = _day(now + LINKED_FOR)
        return f"{self.base.rstrip('/')}/rating/{case_id}.{last_day}.{self._sign(case_id, last_day)}"

    def check(self, token: str, *, now: datetime) -> Asked | None:
        """The case a link's last part asks about; None for what is no link of ours."""
        found = _TOKEN.match(token)
        if found is None:
            return None
        case_id, last_day = int(found.group(1)), int(found.group(2))
        if not hmac.compare_digest(self._sign(case_id, last_day), found.group(3)):
            return None
        return Asked(case_id, ended=_day(now) > last_day)

    def _sign(self, case_id: int, last_day: int) -> str:
        told = f"rating 1\0{case_id}\0{last_day}".encode()
        return hmac.digest(self.key, told, hashlib.sha256)[:_MAC_BYTES].hex()


def rated_by_mail(text: str) -> tuple[int, str] | None:
    """The rating that the first line of an answer gives ("5", "4/5", "Note : 3 sur 5"), and the words below it."""
    lines = text.strip()[:LONGEST_COMMENT].split("\n")
    found = _BY_MAIL.search(lines[0])
    return None if found is None else (int(found.group(1)), "\n".join(lines[1:]).strip())


def _day(moment: datetime) -> int:
    return moment.date().toordinal() - _EPOCH_DAY
