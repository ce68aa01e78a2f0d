"""Reading mailboxes by IMAP, against a real dovecot (mail.md M5)."""

import uuid

import pytest
from pydantic import SecretStr

from app.connectors.mailbox import ImapMailbox, MailboxUnavailable
from app.core.settings import MailboxSettings, OAuthSettings
from tests.servers.dovecot import PASSWORD, DovecotServer
from tests.servers.ports import free_port
from tests.servers.tokens import TokenService

pytestmark = pytest.mark.imap


def mail(number: int, *, size: int = 10) -> bytes:
    return (
        f"From: a@x.example\r\nMessage-ID: <{number}@x.example>\r\nSubject: {number}\r\n\r\n{'x' * size}\r\n".encode()
    )


@pytest.fixture
def folder() -> str:
    """A folder no other test uses."""
    return f"F{uuid.uuid4().hex[:8]}"


def settings(server: DovecotServer, **changed: object) -> MailboxSettings:
    values: dict[str, object] = {
        "name": "AR", "host": "127.0.0.1", "port": server.port, "security": "plain", "username": "ar-fr",
        "password": PASSWORD, "entity": "FR",
    }  # fmt: skip
    return MailboxSettings.model_validate(values | changed)


def numbers(box: ImapMailbox, *, after: int = 0) -> list[tuple[int, str]]:
    """UID and subject of what is there."""
    with box.open() as opened:
        return [(one.uid, one.raw.split(b"Subject: ")[1].split(b"\r\n")[0].decode()) for one in opened.after(after)]


def test_m5_mail_read_elsewhere_is_fetched_and_nothing_is_marked_read(dovecot: DovecotServer, folder: str) -> None:
    dovecot.deliver("ar-fr", mail(1), folder=folder, seen=True)
    dovecot.deliver("ar-fr", mail(2), folder=folder)
    box = ImapMailbox(settings(dovecot, folder=folder))
    assert numbers(box) == [(1, "1"), (2, "2")]
    assert [b"\\Seen" in line for line in dovecot.flags("ar-fr", folder=folder)] == [True, False]


def test_m5_only_what_is_new_since_the_last_uid_comes(dovecot: DovecotServer, folder: str) -> None:
    dovecot.deliver("ar-fr", mail(1), folder=folder)
    dovecot.deliver("ar-fr", mail(2), folder=folder)
    box = ImapMailbox(settings(dovecot, folder=folder))
    assert numbers(box, after=1) == [(2, "2")]
    assert numbers(box, after=2) == []
    assert numbers(box, after=9) == []


def test_m5_a_renumbered_folder_has_another_uidvalidity(dovecot: DovecotServer, folder: str) -> None:
    dovecot.deliver("ar-fr", mail(1), folder=folder)
    box = ImapMailbox(settings(dovecot, folder=folder))
    with box.open() as before:
        first = before.uidvalidity
    dovecot.renumber("ar-fr", folder=folder)
    with box.open() as after:
        assert after.uidvalidity != first
        assert len(list(after.after(0))) == 1


def test_raw_bytes_and_arrival_are_the_servers(dovecot: DovecotServer, folder: str) -> None:
    raw = mail(1) + b"caf\xe9\r\n.\r\n"
    dovecot.deliver("ar-fr", raw, folder=folder)
    with ImapMailbox(settings(dovecot, folder=folder)).open() as opened:
        [fetched] = opened.after(0)
    assert fetched.raw == raw
    assert fetched.received_at is not None
    assert fetched.received_at.tzinfo is not None


def test_many_mails_come_in_order_and_deleted_ones_leave_gaps(dovecot: DovecotServer, folder: str) -> None:
    with dovecot.client("ar-uk") as client:
        client.create(folder)
        for number in range(1, 121):
            client.append(folder, "", "", mail(number))
        client.select(folder)
        client.store("7", "+FLAGS", "\\Deleted")
        client.expunge()
    found = numbers(ImapMailbox(settings(dovecot, username="ar-uk", folder=folder)))
    assert [uid for uid, _ in found] == [uid for uid in range(1, 121) if uid != 7]


@pytest.mark.parametrize("security", ["tls", "starttls", "plain"])
def test_every_kind_of_connection_works(dovecot: DovecotServer, folder: str, security: str) -> None:
    dovecot.deliver("ar-de", mail(1), folder=folder)
    port = dovecot.tls_port if security == "tls" else dovecot.port
    values = settings(dovecot, username="ar-de", folder=folder, security=security, port=port)
    assert numbers(ImapMailbox(values, tls=dovecot.certificate.trusted())) == [(1, "1")]


def test_xoauth2_signs_in_with_a_fresh_token(dovecot: DovecotServer, token_service: TokenService, folder: str) -> None:
    dovecot.deliver("ar-fr", mail(1), folder=folder)
    token_service.refresh["refresh-1"] = "access-1"
    token_service.users["access-1"] = "ar-fr"
    values = settings(dovecot, folder=folder, password=None, oauth=_oauth(token_service, "refresh-1"))
    assert numbers(ImapMailbox(values)) == [(1, "1")]
    assert token_service.asked[-1]["grant_type"] == "refresh_token"


def _oauth(service: TokenService, refresh: str) -> OAuthSettings:
    return OAuthSettings(
        token_url=service.token_url,
        client_id="amiable",
        client_secret=SecretStr("client secret"),
        refresh_token=SecretStr(refresh),
    )


def test_what_goes_wrong_is_one_clear_line(dovecot: DovecotServer, token_service: TokenService) -> None:
    token_service.refresh["refresh-2"] = "stolen"
    closed = free_port()
    troubles = {
        "wrong password": settings(dovecot, password="a guess"),
        "no such folder": settings(dovecot, folder="No/Such"),
        "nobody listens": settings(dovecot, port=closed),
        "untrusted certificate": settings(dovecot, security="tls", port=dovecot.tls_port),
        "no token": settings(dovecot, oauth=_oauth(token_service, "unknown")),
        "refused token": settings(dovecot, oauth=_oauth(token_service, "refresh-2")),
        "not an IMAP server": settings(dovecot, port=token_service.port, security="tls"),
    }
    lines = {name: _trouble(values) for name, values in troubles.items()}
    assert all(line.startswith("Mailbox AR (127.0.0.1:") for line in lines.values()), lines
    secrets = ("\n", "a guess", PASSWORD, "client secret", "refresh-2", "stolen")
    assert not any(secret in line for line in lines.values() for secret in secrets), lines
    assert "HTTP 400" in lines["no token"]
    assert str(closed) in lines["nobody listens"]


def _trouble(values: MailboxSettings) -> str:
    with pytest.raises(MailboxUnavailable) as error, ImapMailbox(values).open():
        pass
    return error.value.message
