"""Signed reply tokens: an answer to our mail finds its case first (mail.md M6, M9, M10; security.md S13). Pure.

A token is 128 bits of HMAC-SHA256 over the case, the one address we wrote to and the day it ends. It stands in the
Message-ID of every mail of ours about a case, and alone in a first entry of its References, which survives a
provider that rewrites Message-IDs. It opens nothing by itself: only that address can use it, and only to join.
"""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import re2

MAC_BYTES = 16
VALID_FOR = timedelta(days=365)
"""A dispute may rest for months; after a year an answer is placed like any other mail."""
_EPOCH_DAY = 719_163
"""The ordinal of 1 January 1970: days since then are short in a Message-ID."""
_ID = re2.compile(r"^<(?:m\.[a-z0-9]{1,64}|t)\.([0-9]{1,18})\.([0-9]{1,6})\.([0-9a-f]{32})@([^<>\s@]{1,255})>$")
_THREAD_ID = re2.compile(r"^<t\.[0-9]{1,18}\.[0-9]{1,6}\.[0-9a-f]{32}@[^<>\s@]{1,255}>$")

Verdict = Literal["valid", "forged", "expired"]


@dataclass(frozen=True, slots=True)
class Checked:
    """A token found in a mail: the case it names and whether it may be believed from that sender.

    A genuine token from another address is "forged" too: nothing tells the two apart, on purpose.
    """

    case_id: int
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class ReplyTokens:
    """Makes and checks tokens with the installation's key."""

    key: bytes

    def message_id(self, *, case_id: int, contact: str, unique: str, domain: str, now: datetime) -> str:
        """The Message-ID of a mail to a contact about a case. `unique` (letters, digits) tells two mails apart."""
        told = "".join(char for char in unique.lower() if char.isascii() and char.isalnum())[:64]
        return f"<m.{told or '0'}.{self.token(case_id=case_id, contact=contact, now=now)}@{domain}>"

    def thread_id(self, *, case_id: int, contact: str, domain: str, now: datetime) -> str:
        """The token as the first of the mail's References."""
        return f"<t.{self.token(case_id=case_id, contact=contact, now=now)}@{domain}>"

    def token(self, *, case_id: int, contact: str, now: datetime) -> str:
        """The bare token: case, last day, signature."""
        last_day = _day(now + VALID_FOR)
        return f"{case_id}.{last_day}.{self._sign(case_id, contact, last_day)}"

    def check(self, rfc_id: str, *, sender: str, now: datetime) -> Checked | None:
        """What a Message-ID named by a mail from `sender` proves; None when it is no token of ours at all."""
        found = _ID.match(rfc_id.lower())
        if found is None:
            return None
        case_id, last_day = int(found.group(1)), int(found.group(2))
        if not hmac.compare_digest(self._sign(case_id, sender, last_day), found.group(3)):
            return Checked(case_id, "forged")
        return Checked(case_id, "valid" if _day(now) <= last_day else "expired")

    def cases(self, rfc_ids: Iterable[str], *, sender: str, now: datetime) -> tuple[int, ...]:
        """The cases that valid tokens among the ids name, in the order of the ids, once each."""
        found = (self.check(rfc_id, sender=sender, now=now) for rfc_id in rfc_ids)
        return tuple(dict.fromkeys(one.case_id for one in found if one is not None and one.verdict == "valid"))

    def _sign(self, case_id: int, contact: str, last_day: int) -> str:
        told = f"reply token 1\0{case_id}\0{contact.strip().lower()}\0{last_day}"
        return hmac.digest(self.key, told.encode("utf-8", "replace"), hashlib.sha256)[:MAC_BYTES].hex()


def is_thread_id(rfc_id: str) -> bool:
    """Whether an id is of the form only our tokens have: it names no mail, so that no two mails share it (M10)."""
    return _THREAD_ID.match(rfc_id.lower()) is not None


def _day(moment: datetime) -> int:
    return moment.date().toordinal() - _EPOCH_DAY
