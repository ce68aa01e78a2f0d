"""A mail with copies and files arrives whole, whatever the files are called (mail.md M24, M27; security.md S12)."""

from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default

from hypothesis import given
from hypothesis import strategies as st

from app.connectors.contracts import AttachedFile, packed
from app.connectors.mailer import SmtpMailer
from app.connectors.outgoing import recipients, rendered
from app.core.settings import SmtpSettings
from tests.connectors.test_mailer import Mail
from tests.servers.smtp_sink import SmtpSink

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
PROOF = AttachedFile("Lieferschein Größe 4.pdf", "application/pdf", bytes(range(256)) * 20)


def test_copies_and_files_arrive_as_they_were(smtp_sink: SmtpSink) -> None:
    settings = SmtpSettings(host="127.0.0.1", port=smtp_sink.port, security="plain", timeout_seconds=10)
    mail = packed(Mail(body="Voilà.\n"), cc=("bob@customer.example", "ann@customer.example"), files=(PROOF,))
    SmtpMailer(settings, clock=lambda: NOW).send(mail)
    content = smtp_sink.mails[0].content
    assert isinstance(content, bytes)
    taken = message_from_bytes(content, policy=default)
    assert taken["Cc"] == "bob@customer.example"
    body, file = taken.iter_parts()
    assert body.get_content().strip() == "Voilà."
    assert (file.get_filename(), file.get_content_type()) == (PROOF.name, PROOF.content_type)
    assert file.get_content() == PROOF.content
    assert recipients(mail) == ["ann@customer.example", "bob@customer.example"]


def test_a_mail_without_them_is_plain_text() -> None:
    assert rendered(packed(Mail(), cc=(), files=()), now=NOW) == rendered(Mail(), now=NOW)


@given(name=st.text(max_size=200), kind=st.text(max_size=60), content=st.binary(max_size=400))
def test_s12_no_name_and_no_type_begins_a_header(name: str, kind: str, content: bytes) -> None:
    raw = rendered(packed(Mail(), cc=(), files=(AttachedFile(name, kind, content),)), now=NOW)
    taken = message_from_bytes(raw, policy=default)
    _, file = taken.iter_parts()
    assert set(file.keys()) == {"Content-Type", "Content-Disposition", "Content-Transfer-Encoding"}
    assert file.get_payload(decode=True) == content
    assert "/" not in (file.get_filename() or "")


def test_words_come_as_html_beside_the_text_and_files_beside_both() -> None:
    html = "<p>Voilà <a href='https://desk.example/do/1'>Accepter</a></p>"
    raw = rendered(packed(Mail(body="Voilà.\n"), cc=(), files=(), html=html), now=NOW)
    taken = message_from_bytes(raw, policy=default)
    assert taken.get_content_type() == "multipart/alternative"
    assert [part.get_content().strip() for part in taken.iter_parts()] == ["Voilà.", html]
    whole = message_from_bytes(rendered(packed(Mail(), cc=(), files=(PROOF,), html=html), now=NOW), policy=default)
    assert [part.get_content_type() for part in whole.iter_parts()] == ["multipart/alternative", "application/pdf"]
