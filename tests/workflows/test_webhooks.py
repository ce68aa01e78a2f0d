"""Changes told by signed webhooks: in order, again after trouble, never to the wrong receiver."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from sqlalchemy import select

from app.connectors.contracts import Refused
from app.connectors.webhooks import SIGNATURE, ReceiverUnavailable, post
from app.core.errors import BadInput, Unavailable
from app.core.events import system
from app.core.settings import Settings
from app.workflows.webhooks import deliver
from disputes.actions import webhooks, writeback
from disputes.models import CaseInvoice, WebhookDelivery
from tests.databases import Database
from tests.factories import a_case, an_account, an_entity, an_invoice
from tests.fixtures_db import FixedClock
from tests.workflows.stand_ins import context

ACTOR = system("test")


@dataclass
class Receiver:
    """An ERP that answers as told."""

    trouble: Exception | None = None
    got: list[str] = field(default_factory=list)

    def __call__(self, url: str, *, secret: str, body: bytes, now: datetime) -> None:
        """Take a body."""
        assert url
        assert secret
        assert now.tzinfo
        if self.trouble:
            raise self.trouble
        self.got.append(json.loads(body)["invoice"])


def told(database: Database, clock: FixedClock, *entities: str) -> None:
    """A dispute an entity, with its change."""
    with database.transaction() as session:
        for code in entities:
            account = an_account(session, an_entity(session, code))
            for number in (1, 2):
                invoice = an_invoice(session, account, number=f"{code}-{number}")
                case = a_case(session, account, now=clock())
                session.add(
                    CaseInvoice(case_id=case.id, invoice_id=invoice.id, disputed=Decimal(300), added_at=clock())
                )
                writeback.tell(session, case=case, now=clock())


def hook(database: Database, clock: FixedClock, *, entity: str | None = None) -> None:
    with database.transaction() as session:
        webhooks.add(
            session, url="https://erp.example/amiable", entity_code=entity, actor=ACTOR, now=clock()
        )  # fmt: skip


def test_changes_arrive_in_their_order_and_once(database: Database, settings: Settings, clock: FixedClock) -> None:
    hook(database, clock)
    told(database, clock, "FR01", "DE01")
    receiver = Receiver()
    assert deliver(context(database, settings, clock), send=receiver) == {"sent": 4}
    assert receiver.got == ["FR01-1", "FR01-2", "DE01-1", "DE01-2"]
    assert deliver(context(database, settings, clock), send=receiver) == {}


def test_a_receiver_that_is_away_is_tried_again_and_nothing_overtakes(
    database: Database, settings: Settings, clock: FixedClock
) -> None:
    hook(database, clock)
    told(database, clock, "FR01")
    receiver = Receiver(trouble=Unavailable("away"))
    assert deliver(context(database, settings, clock), send=receiver) == {"queued": 1}
    receiver.trouble = None
    assert deliver(context(database, settings, clock), send=receiver) == {}
    clock.advance(timedelta(seconds=31))
    assert deliver(context(database, settings, clock), send=receiver) == {"sent": 2}
    assert receiver.got == ["FR01-1", "FR01-2"]


def test_what_is_refused_for_good_is_kept_with_its_reason(
    database: Database, settings: Settings, clock: FixedClock
) -> None:
    hook(database, clock)
    told(database, clock, "FR01")
    assert deliver(context(database, settings, clock), send=Receiver(trouble=Refused("answered 410"))) == {"failed": 2}
    with database.transaction(read_only=True) as session:
        assert set(session.scalars(select(WebhookDelivery.last_error))) == {"answered 410"}


def test_a_webhook_of_one_entity_hears_of_no_other(database: Database, settings: Settings, clock: FixedClock) -> None:
    with database.transaction() as session:
        an_entity(session, "ES01")
    hook(database, clock, entity="ES01")
    told(database, clock, "FR01")
    assert deliver(context(database, settings, clock), send=Receiver()) == {}


@pytest.mark.parametrize("url", ["ftp://erp.example/", "erp.example", "https://", "https://user:secret@erp.example/"])
def test_only_web_addresses_are_told(database: Database, clock: FixedClock, url: str) -> None:
    with database.transaction() as session, pytest.raises(BadInput):
        webhooks.add(session, url=url, entity_code=None, actor=ACTOR, now=clock())


class _Handler(BaseHTTPRequestHandler):
    status = 200
    seen: tuple[str, bytes] = ("", b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).seen = (self.headers[SIGNATURE], body)
        self.send_response(type(self).status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def answering(status: int) -> Iterator[tuple[str, type[_Handler]]]:
    handler = type("Handler", (_Handler,), {"status": status})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/", handler
        finally:
            server.shutdown()
            thread.join()


def test_a_body_is_signed_with_time_and_secret() -> None:
    now = datetime(2026, 3, 2, 9, tzinfo=UTC)
    with answering(204) as (url, handler):
        post(url, secret="s3cret", body=b'{"cursor":1}', now=now)
    at = int(now.timestamp())
    wanted = hmac.new(b"s3cret", f"{at}.".encode() + b'{"cursor":1}', hashlib.sha256).hexdigest()
    assert handler.seen == (f"t={at},v1={wanted}", b'{"cursor":1}')


@pytest.mark.parametrize(
    ("status", "error"), [(503, ReceiverUnavailable), (429, ReceiverUnavailable), (410, Refused), (302, Refused)]
)
def test_an_answer_tells_whether_to_try_again(status: int, error: type[Exception]) -> None:
    with answering(status) as (url, _), pytest.raises(error):
        post(url, secret="s3cret", body=b"{}", now=datetime(2026, 3, 2, tzinfo=UTC))


def test_nobody_there_is_tried_again() -> None:
    with pytest.raises(ReceiverUnavailable):
        post("http://127.0.0.1:1/", secret="s3cret", body=b"{}", now=datetime(2026, 3, 2, tzinfo=UTC))
