"""Open cases of any number, as rows: half disputes, half queries, each opened some days ago and on its playbook."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

from sqlalchemy import Table, insert
from sqlalchemy.orm import Session

from app.models import metadata

CASES_PER_ACCOUNT = 20
_CHUNK = 2_000
_REASONS = (("dispute", "price"), ("query", "copy_invoice"))


def write_cases(session: Session, size: int, *, now: datetime) -> None:
    """An entity, an account for every twenty cases, and `size` cases with a mail, an invoice and its first steps.

    Nothing of them is due: their next step comes in the days to come.
    """
    _insert(session, "entities", [_entity()])
    _insert(session, "accounts", [_account(place) for place in range(1, size // CASES_PER_ACCOUNT + 2)])
    for first in range(1, size + 1, _CHUNK):
        places = range(first, min(first + _CHUNK, size + 1))
        for table, rows in _rows(places, now):
            _insert(session, table, rows)


def _insert(session: Session, table: str, rows: Sequence[dict[str, Any]]) -> None:
    found: Table = metadata.tables[table]
    session.execute(insert(found), list(rows))


def _rows(places: range, now: datetime) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    yield "invoices", [_invoice(place) for place in places]
    yield "cases", [_case(place, now) for place in places]
    yield (
        "case_invoices",
        [
            {"case_id": place, "invoice_id": place, "disputed": Decimal(60), "added_at": _opened(place, now)}
            for place in places
        ],
    )
    yield "messages", [_message(place, now) for place in places]
    yield "case_steps", [_step(place, name, now) for place in places for name in _done(place)]
    yield "case_clocks", [
        {"case_id": place, "kind": "owner_answer", "started_at": _opened(place, now), "promised_seconds": 28_800,
         "warn_left_seconds": 3_600, "due_at": now + timedelta(days=30)}
        for place in places if "ask_owner" in _done(place)
    ]  # fmt: skip


def _done(place: int) -> tuple[str, ...]:
    """The owners of queries are still to be asked."""
    return ("acknowledge",) if place % 2 else ("acknowledge", "ask_owner")


def _opened(place: int, now: datetime) -> datetime:
    return now - timedelta(days=4, minutes=place % 1_000)


def _entity() -> dict[str, Any]:
    names = {"id": 1, "code": "B01", "name": "Bench SAS", "language": "fr", "mailbox": "ar@bench.example"}
    return {**names, "country": "FR", "currency": "EUR", "version": "", "fingerprint": 0}


def _account(place: int) -> dict[str, Any]:
    name = {"id": place, "number": f"C{place:06}", "name": f"Customer {place}"}
    return {**name, "entity_id": 1, "address": "", "pending": False, "version": "", "fingerprint": 0}


def _invoice(place: int) -> dict[str, Any]:
    amount = Decimal(120)
    return {
        "id": place, "entity_id": 1, "account_id": 1 + place // CASES_PER_ACCOUNT, "number": f"FA-{place:07}",
        "kind": "invoice", "issued": date(2026, 1, 5), "due": date(2026, 2, 4), "currency": "EUR", "net": Decimal(100),
        "gross": amount, "open_amount": amount, "version": "", "fingerprint": 0,
    }  # fmt: skip


def _case(place: int, now: datetime) -> dict[str, Any]:
    kind, reason = _REASONS[place % 2]
    opened = _opened(place, now)
    return {
        "id": place, "entity_id": 1, "account_id": 1 + place // CASES_PER_ACCOUNT, "title": f"Matter {place}",
        "state": "in_progress", "kind": kind, "reason": reason, "waiting_on": "us", "opened_at": opened,
        "last_activity_at": opened, "message_count": 1, "playbook": kind, "next_step": "tell_status",
        "step_from": opened, "due_at": now + timedelta(hours=1 + place % 500), "cycle": 0,
    }  # fmt: skip


def _message(place: int, now: datetime) -> dict[str, Any]:
    kind, reason = _REASONS[place % 2]
    content, at = sha256(str(place).encode()).hexdigest(), _opened(place, now)
    return {
        "id": place, "identity": content, "content_hash": content, "size": 900, "state": "worked", "received_at": at,
        "sent_at": at, "direction": "in", "from_email": f"ap@customer{place // CASES_PER_ACCOUNT}.example",
        "subject": "Invoice", "case_id": place, "account_id": 1 + place // CASES_PER_ACCOUNT, "kind": kind,
        "reason": reason, "sentiment": "calm", "language": "fr",
    }  # fmt: skip


def _step(place: int, name: str, now: datetime) -> dict[str, Any]:
    at = _opened(place, now)
    return {
        "case_id": place,
        "step": name,
        "cycle": 0,
        "state": "taken",
        "why": "",
        "actor": "system:progress",
        "at": at,
    }
