"""Mail servers for tests: a real dovecot with its token service, and an SMTP sink."""

from collections.abc import Iterator

import pytest

from tests.servers.dovecot import DovecotServer, dovecot_installed, running_dovecot
from tests.servers.smtp_sink import SmtpSink, running_smtp_sink
from tests.servers.tokens import TokenService, running_token_service


@pytest.fixture(scope="session")
def token_service() -> Iterator[TokenService]:
    """The token service dovecot asks."""
    with running_token_service() as service:
        yield service


@pytest.fixture(scope="session")
def dovecot(token_service: TokenService) -> Iterator[DovecotServer]:
    """A dovecot for the whole run; tests use folders of their own in it."""
    if not dovecot_installed():
        pytest.fail("dovecot is not installed: scripts/system-packages test")
    with running_dovecot(token_service) as server:
        yield server


@pytest.fixture
def smtp_sink() -> Iterator[SmtpSink]:
    """A plain sink of its own for each test."""
    with running_smtp_sink() as sink:
        yield sink
