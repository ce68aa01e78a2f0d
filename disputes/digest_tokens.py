"""Signed tokens of digests: an answer by mail finds its digest, a link does one thing to one case. Pure (S13).

Both are 128 bits of HMAC-SHA256 and end after some days. The one in the mail's Message-ID, and alone in its
References, opens nothing by itself: only the address the digest went to can use it. The one in a link names who acts,
on which case, what, and the digest it stood in, which is its nonce: one use, whoever clicks how often.
"""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import re2

ACCEPT, REJECT, CREDIT, NEED, NOT_MINE = "accept", "reject", "credit", "need", "not-mine"
ACTIONS = (ACCEPT, REJECT, CREDIT, NEED, NOT_MINE)
"""What a link does, and what an answer by mail may say."""
ANSWERED_FOR = timedelta(days=90)
"""So long a digest may be answered by mail; the next ones come meanwhile."""
LINKED_FOR = timedelta(days=14)
"""So long a link works: over a holiday, but not for whoever finds an old mail."""
_MAC_BYTES = 16
_EPOCH_DAY = 719_163
_ID = re2.compile(r"^<dt?\.([0-9]{1,18})\.([a-z0-9-]{1,60})\.([0-9]{1,6})\.([0-9a-f]{32})@[^<>\s@]{1,255}>$")
_LINK = re2.compile(r"^([0-9]{1,18})\.([0-9]{1,18})\.([a-z-]{1,20})\.([a-z0-9-]{1,60})\.([0-9]{1,6})\.([0-9a-f]{32})$")

Verdict = Literal["valid", "forged", "expired"]


@dataclass(frozen=True, slots=True)
class NamedDigest:
    """The digest a mail's header names, and whether its sender may answer it."""

    user_id: int
    period: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class MailTokens:
    """Makes and checks what stands in the headers of digests, with the installation's key."""

    key: bytes

    def message_id(self, *, user_id: int, address: str, period: str, domain: str, now: datetime) -> str:
        """The digest's Message-ID."""
        return f"<d.{self._token(user_id, address, period, now)}@{domain}>"

    def thread_id(self, *, user_id: int, address: str, period: str, domain: str, now: datetime) -> str:
        """The token in References, which survives a provider that rewrites Message-IDs."""
        return f"<dt.{self._token(user_id, address, period, now)}@{domain}>"

    def check(self, rfc_id: str, *, sender: str, now: datetime) -> NamedDigest | None:
        """What an id proves in a mail from `sender`; None when it is no id of a digest at all.

        A genuine one from another address is "forged": nothing tells the two apart, on purpose.
        """
        found = _ID.match(rfc_id.lower())
        if found is None:
            return None
        user_id, period, last_day = int(found.group(1)), str(found.group(2)), int(found.group(3))
        if not hmac.compare_digest(self._sign(user_id, sender, period, last_day), found.group(4)):
            return NamedDigest(user_id, period, "forged")
        return NamedDigest(user_id, period, "valid" if _day(now) <= last_day else "expired")

    def named(self, rfc_ids: Iterable[str], *, sender: str, now: datetime) -> NamedDigest | None:
        """The digest the ids of a mail name, the best verdict first; None where they name none."""
        found = [one for rfc_id in rfc_ids if (one := self.check(rfc_id, sender=sender, now=now)) is not None]
        return min(found, key=lambda one: ("valid", "expired", "forged").index(one.verdict), default=None)

    def _token(self, user_id: int, address: str, period: str, now: datetime) -> str:
        last_day = _day(now + ANSWERED_FOR)
        return f"{user_id}.{period}.{last_day}.{self._sign(user_id, address, period, last_day)}"

    def _sign(self, user_id: int, address: str, period: str, last_day: int) -> str:
        return _mac(self.key, "digest mail 1", user_id, address.strip().lower(), period, last_day)


@dataclass(frozen=True, slots=True)
class LinkedAction:
    """What a link does: who acts, on which case, what, in which digest it stood. `verdict`: may it be believed."""

    user_id: int
    case_id: int
    action: str
    period: str
    verdict: Verdict

    @property
    def nonce(self) -> str:
        """One use each: the same link in the same digest, however often it is clicked or the mail is sent again."""
        told = f"{self.user_id}\0{self.case_id}\0{self.action}\0{self.period}"
        return hashlib.sha256(told.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class LinkTokens:
    """Makes and checks the one-click actions of digests, with the installation's key."""

    key: bytes

    def token(self, *, user_id: int, case_id: int, action: str, period: str, now: datetime) -> str:
        """The last part of a link's address."""
        last_day = _day(now + LINKED_FOR)
        mac = _mac(self.key, "digest action 1", user_id, case_id, action, period, last_day)
        return f"{user_id}.{case_id}.{action}.{period}.{last_day}.{mac}"

    def check(self, token: str, *, now: datetime) -> LinkedAction | None:
        """What a link means; None for a text that is no link of ours."""
        found = _LINK.match(token)
        if found is None or found.group(3) not in ACTIONS:
            return None
        user_id, case_id, last_day = int(found.group(1)), int(found.group(2)), int(found.group(5))
        action, period = str(found.group(3)), str(found.group(4))
        genuine = _mac(self.key, "digest action 1", user_id, case_id, action, period, last_day)
        if not hmac.compare_digest(genuine, found.group(6)):
            return LinkedAction(user_id, case_id, action, period, "forged")
        return LinkedAction(user_id, case_id, action, period, "valid" if _day(now) <= last_day else "expired")


def is_digest_id(rfc_id: str) -> bool:
    """Whether an id has the form only digests have: it joins no mail to a case."""
    return _ID.match(rfc_id.lower()) is not None


def _mac(key: bytes, *parts: object) -> str:
    told = "\0".join(map(str, parts)).encode("utf-8", "replace")
    return hmac.digest(key, told, hashlib.sha256)[:_MAC_BYTES].hex()


def _day(moment: datetime) -> int:
    return moment.date().toordinal() - _EPOCH_DAY
