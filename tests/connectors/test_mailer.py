"""Sending mail, against an SMTP server that fails as told (security.md S2, S12; mail.md M18)."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from app.connectors.contracts import Refused, Unknown
from app.connectors.mailer import FolderMailer, MailServerUnavailable, SmtpMailer, mailer_for
from app.connectors.outgoing import rendered
from app.core.errors import Unavailable
from app.core.settings import Settings, SmtpSettings
from disputes.charsets import decode_header
from tests.servers.certificates import make_certificate
from tests.servers.ports import free_port
from tests.servers.smtp_sink import DROP, SmtpSink, running_smtp_sink

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)

auth_without_tls = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
"""aiosmtpd warns of what these tests want: it does not count TLS from the start as TLS."""


@dataclass
class Mail:
    """A mail of the outbox."""

    rfc_id: str = "<ack.1@seller.example>"
    from_email: str = "ar@seller.example"
    from_name: str = "Seller"
    to_email: str = "ann@customer.example"
    subject: str = "Your message"
    body: str = "Dear Ann,\n\nwe received your message.\n"
    headers: dict[str, str] = field(default_factory=dict)


def clock() -> datetime:
    return NOW


def mailer(sink: SmtpSink, **changed: object) -> SmtpMailer:
    settings = {"host": "127.0.0.1", "port": sink.port, "security": "plain", "timeout_seconds": 10}
    return SmtpMailer(SmtpSettings.model_validate(settings | changed), clock=clock)


def test_a_mail_arrives_as_it_was_written(smtp_sink: SmtpSink) -> None:
    headers = {
        "Auto-Submitted": "auto-replied",
        "X-Auto-Response-Suppress": "All",
        "In-Reply-To": "<1@customer.example>",
    }
    mail = Mail(
        subject="Réponse à « facture »", from_name="Société Générale", body="Bonjour,\n.\n..\nœuf €\n", headers=headers
    )
    mailer(smtp_sink).send(mail)
    [taken] = smtp_sink.messages
    assert decode_header(str(taken["Subject"]).encode()) == mail.subject
    assert decode_header(str(taken["From"]).encode()) == "Société Générale <ar@seller.example>"
    assert taken["Message-ID"] == mail.rfc_id
    assert taken["Date"] == "Mon, 02 Mar 2026 08:00:00 +0000"
    content = taken.get_payload(decode=True)
    assert isinstance(content, bytes)
    assert content.decode().replace("\r\n", "\n") == mail.body
    assert {name: taken[name] for name in headers} == headers
    assert smtp_sink.mails[0].mail_from == "ar@seller.example"


def test_s02_a_lost_answer_leaves_the_outcome_unknown(smtp_sink: SmtpSink) -> None:
    smtp_sink.at_end.append(DROP)
    with pytest.raises(Unknown):
        mailer(smtp_sink).send(Mail())
    assert len(smtp_sink.mails) == 1


@pytest.mark.parametrize("where", ["at_recipient", "at_end"])
def test_s02_a_permanent_no_is_refused(smtp_sink: SmtpSink, where: str) -> None:
    getattr(smtp_sink, where).append("550 5.1.1 no such user")
    with pytest.raises(Refused, match=r"550 5\.1\.1 no such user"):
        mailer(smtp_sink).send(Mail())
    assert smtp_sink.mails == []


@pytest.mark.parametrize("where", ["at_recipient", "at_end"])
def test_s02_a_temporary_no_may_be_tried_later(smtp_sink: SmtpSink, where: str) -> None:
    getattr(smtp_sink, where).append("451 4.7.1 greylisted")
    with pytest.raises(Unavailable, match="greylisted"):
        mailer(smtp_sink).send(Mail())
    mailer(smtp_sink).send(Mail())
    assert len(smtp_sink.mails) == 1


def test_s03_a_server_that_is_away_is_one_clear_line() -> None:
    port = free_port()
    with pytest.raises(MailServerUnavailable) as error:
        mailer(SmtpSink(port)).send(Mail())
    assert error.value.message.startswith(f"Mail server 127.0.0.1:{port} cannot be used")
    assert "\n" not in error.value.message


@auth_without_tls
def test_login_over_tls_and_over_starttls(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    login = {"username": "ar", "password": SecretStr("open sesame")}
    for security, options in (("tls", {"tls": certificate.served()}), ("starttls", {"starttls": certificate.served()})):
        with running_smtp_sink(login=("ar", "open sesame"), **options) as sink:
            settings = SmtpSettings.model_validate(
                {"host": "127.0.0.1", "port": sink.port, "security": security} | login
            )
            SmtpMailer(settings, clock=clock, tls=certificate.trusted()).send(Mail())
            assert len(sink.mails) == 1
            with pytest.raises(MailServerUnavailable, match=r"CERTIFICATE_VERIFY_FAILED|certificate"):
                SmtpMailer(settings, clock=clock).send(Mail())


@auth_without_tls
def test_a_wrong_password_is_told_without_the_password() -> None:
    with running_smtp_sink(login=("ar", "open sesame")) as sink:
        wrong = mailer(sink, username="ar", password=SecretStr("a guess"))
        with pytest.raises(MailServerUnavailable) as error:
            wrong.send(Mail())
    assert "535" in error.value.message
    assert "a guess" not in error.value.message


def test_starttls_is_never_given_up_for_plain_text(smtp_sink: SmtpSink) -> None:
    with pytest.raises(MailServerUnavailable, match="STARTTLS"):
        mailer(smtp_sink, security="starttls").send(Mail())
    assert smtp_sink.mails == []


@given(text=st.text(max_size=60), name=st.text(max_size=40))
def test_s12_no_words_start_another_header(text: str, name: str) -> None:
    hostile = f"{text}\r\nBcc: victim@x.example\n\n{name}"
    mail = Mail(subject=hostile, from_name=hostile, body=hostile, headers={"References": hostile})
    taken = message_from_bytes(rendered(mail, now=NOW))
    wanted = ["From", "To", "Subject", "Date", "Message-ID", "References", "MIME-Version", "Content-Type"]
    assert [*wanted, "Content-Transfer-Encoding"] == taken.keys()
    assert taken.defects == []


@pytest.mark.parametrize(
    "mail",
    [
        Mail(to_email="a@b.example\r\nBcc: v@x.example"),
        Mail(to_email="a@b.example> RCPT TO:<v@x.example"),
        Mail(to_email="nobody"),
        Mail(to_email="jürgen@kunde.example"),
        Mail(from_email=""),
        Mail(rfc_id="<1@x>\r\nX: y"),
        Mail(headers={"X: y\r\nBcc": "v@x.example"}),
        Mail(headers={"Bcc": "v@x.example"}),
    ],
)
def test_s12_what_cannot_be_written_safely_is_refused(mail: Mail) -> None:
    with pytest.raises(Refused):
        rendered(mail, now=NOW)


def test_domains_with_umlauts_are_written_to() -> None:
    assert message_from_bytes(rendered(Mail(to_email="a@müller.example"), now=NOW))["To"] == "a@xn--mller-kva.example"


def test_long_references_are_folded_and_stay_as_they_are() -> None:
    ids = [f"<{'x' * 90}.{number}@mail.customer.example>" for number in range(20)]
    raw = rendered(Mail(headers={"References": " ".join(ids)}), now=NOW)
    assert max(len(line) for line in raw.split(b"\r\n")) < 200
    assert message_from_bytes(raw)["References"].split() == ids


def test_the_folder_takes_mail_where_no_server_is_set(tmp_path: Path) -> None:
    mailer = mailer_for(Settings(data_folder=tmp_path), clock=clock)
    assert isinstance(mailer, FolderMailer)
    mailer.send(Mail(rfc_id="<../../etc/x@seller.example>"))
    mailer.send(Mail())
    mailer.send(Mail())
    written = sorted(path.name for path in (tmp_path / "outgoing").iterdir())
    assert written == [".._.._etc_x@seller.example.eml", "ack.1@seller.example.eml"]


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MailServerUnavailable, match="cannot be written"):
        FolderMailer(tmp_path / "file", clock=clock).send(Mail())
