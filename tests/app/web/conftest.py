"""A desk with one case, and a browser without a screen to look at it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy.orm import Session

from app import auth
from app.core.blobs import FolderStore
from app.core.settings import Settings
from app.edge import COOKIE, Services
from app.main import create_app
from disputes.models import Case, Message
from tests.databases import Database
from tests.factories import a_case, a_link, a_message, a_user, an_account, an_entity, an_invoice, in_case
from tests.fixtures_db import FixedClock

SAME_ORIGIN = {"sec-fetch-site": "same-origin"}


@dataclass
class Site:
    """The application on a test's database, and ids of what lies in it."""

    client: TestClient
    database: Database
    services: Services
    enqueued: list[tuple[Any, ...]]
    now: datetime
    case_id: int = 0
    message_id: int = 0
    link_id: int = 0
    account_id: int = 0
    number: str = ""

    def sign_in(self, name: str = "Ana Silva", **values: Any) -> auth.User:
        """A user with an open session; their cookie is on the client from now on."""
        with self.database.transaction() as session:
            user = a_user(session, name, now=self.now, **values)
            secret = auth.open_session(session, user=user, now=self.now, hours=8)
        self.client.cookies.set(COOKIE, secret)
        return user

    def get(self, path: str, **headers: str) -> Response:
        """A page."""
        return self.client.get(path, headers=headers)

    def post(self, path: str, **fields: str) -> Response:
        """A form of our own pages."""
        return self.client.post(path, data=fields, headers=SAME_ORIGIN)

    def case(self) -> Case:
        """The case as it is now."""
        with self.database.transaction(read_only=True) as session:
            return session.get_one(Case, self.case_id)

    def message(self) -> Message:
        """The case's first message as it is now."""
        with self.database.transaction(read_only=True) as session:
            return session.get_one(Message, self.message_id)


@pytest.fixture
def site(database: Database, settings: Settings, clock: FixedClock, now: datetime) -> Iterator[Site]:
    """One entity, FR01, with a case about one proposed invoice; nobody is signed in."""
    enqueued: list[tuple[Any, ...]] = []
    services = Services(
        settings=settings,
        sessions=database.sessions,
        clock=clock,
        blobs=FolderStore(settings.blob_folder),
        enqueue=lambda _session, *job, **_when: enqueued.append(job),
    )
    with TestClient(create_app(services), follow_redirects=False) as client:
        found = Site(client, database, services, enqueued, now)
        with database.transaction() as session:
            _fill(found, session, now)
        yield found


def _fill(site: Site, session: Session, now: datetime) -> None:
    account = an_account(session, an_entity(session), name="Boulangerie Keller")
    case = a_case(session, account, now=now)
    invoice = an_invoice(session, account, number="F2026-00417")
    words = [{"source": "new", "start": 4, "end": 9, "text": "price", "weight": 1.5}]
    text = "The price of F2026-00417 is <wrong>."
    message = a_message(session, case, now=now, new_text=text, deciding_words=words)
    link = a_link(session, message, invoice, now=now)
    in_case(session, case, invoice, now=now)
    site.case_id, site.message_id, site.link_id, site.account_id = case.id, message.id, link.id, account.id
    site.number = invoice.number
