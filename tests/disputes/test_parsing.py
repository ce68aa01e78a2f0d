"""Reading mail (mail.md M7, M13-M17, M20-M25, M29; security.md S10, S14)."""

import base64
import io
import json
import zipfile
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.settings import Limits
from disputes.parsing import ParsedMessage, Unreadable, parse

SHARED = Path(__file__).parents[3] / "shared"
LIMITS = Limits()


def read(*lines: str, body: str = "Hello") -> ParsedMessage:
    """A mail with the given header lines, parsed."""
    return parse("\r\n".join((*lines, "", body)).encode(), limits=LIMITS)


def built(**parts: object) -> EmailMessage:
    """A mail made by the standard library."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Ann <ann@customer.example>", "ar@seller.example", "Invoice"
    message.set_content(str(parts.get("text", "See file.")))
    return message


def shared(folder: str) -> list[Path]:
    return sorted((SHARED / folder).glob("*")) if (SHARED / folder).exists() else []


needs_samples = pytest.mark.skipif(not SHARED.exists(), reason="public samples are kept beside the project")


def test_a_plain_mail_is_read() -> None:
    mail = read(
        "From: =?utf-8?q?Jos=C3=A9?= <Jose@Client.example>",
        "To: AR <ar@seller.example>, b@seller.example",
        "Message-ID: <1@client.example>",
        "Date: Tue, 03 Mar 2026 08:00:00 +0100",
        "Subject: =?iso-8859-1?Q?Facture_n=B0_4711?=",
        body="Bonjour\r\n\r\n-- \r\nJosé",
    )
    assert (mail.from_email, mail.from_name) == ("jose@client.example", "José")
    assert [address.email for address in mail.to] == ["ar@seller.example", "b@seller.example"]
    assert mail.subject == "Facture n° 4711"
    assert mail.message_id == "<1@client.example>"
    assert mail.date == datetime(2026, 3, 3, 7, 0, tzinfo=UTC)
    assert (mail.new_text, mail.signature) == ("Bonjour", "-- \nJosé")
    assert mail.machine is None


@pytest.mark.parametrize("value", ["", "<>", "nil", "<nil>", "none"])
def test_m07_an_empty_or_nil_id_matches_nothing(value: str) -> None:
    mail = read("From: a@b.example", f"In-Reply-To: {value}", f"Message-ID: {value}")
    assert mail.in_reply_to == ()
    assert mail.message_id is None
    assert mail.thread_ids.named == ()


def test_m06_references_are_given_newest_first_to_threading() -> None:
    mail = read("From: a@b.example", "References: <1@x>\r\n <2@x> <1@x>", "In-Reply-To: <2@x> (of Monday)")
    assert mail.references == ("<1@x>", "<2@x>")
    assert mail.thread_ids.named == ("<2@x>", "<1@x>")


@pytest.mark.parametrize(
    ("author", "email"),
    [
        ("legit@x.example <evil@y.example>", "evil@y.example"),
        ('"legit@x.example" <evil@y.example>', "evil@y.example"),
        ("=?utf-8?q?legit=40x=2Eexample_=3Clegit=40x=2Eexample=3E?= <evil@y.example>", "evil@y.example"),
        ("legit@x.example, evil@y.example", ""),
        ("<legit@x.example> <evil@y.example>", ""),
        ('"a, b" <one@y.example>', "one@y.example"),
        ("(legit@x.example) evil@y.example", "evil@y.example"),
        ("<@relay.example:one@y.example>", "one@y.example"),
        ("legit@x.example\0@y.example", ""),
        ("undisclosed-recipients:;", ""),
        ("", ""),
    ],
)
def test_s14_the_sender_is_the_one_mailbox_in_from(author: str, email: str) -> None:
    assert read(f"From: {author}").from_email == email


def test_s14_two_from_headers_name_nobody() -> None:
    assert read("From: a@x.example", "From: b@y.example").from_email == ""


def test_s14_a_name_that_shows_another_address_is_noted() -> None:
    assert "the sender's name holds another address" in read("From: 'ceo@seller.example' <x@evil.example>").defects


def test_m14_reply_to_is_kept_apart() -> None:
    mail = read("From: a@x.example", "Reply-To: b@y.example")
    assert mail.reply_to is not None
    assert (mail.from_email, mail.reply_to.email) == ("a@x.example", "b@y.example")


def test_m15_only_the_configured_servers_verdict_counts() -> None:
    raw = (
        b"Authentication-Results: mx.seller.example; spf=pass (dmarc=pass) x; dmarc=fail header.from=x.example\r\n"
        b"Authentication-Results: evil.example; dmarc=pass\r\nFrom: a@x.example\r\n\r\nHello"
    )
    assert parse(raw, limits=LIMITS, authentication_server="mx.seller.example").dmarc == "fail"
    assert parse(raw, limits=LIMITS, authentication_server="mx.other.example").dmarc is None
    assert parse(raw, limits=LIMITS).dmarc is None


def test_m16_automatic_replies_are_known_by_header() -> None:
    assert read("From: a@x.example", "Auto-Submitted: auto-replied (vacation)").is_auto_reply
    assert read("From: a@x.example", "Precedence: auto_reply").machine == "auto_reply"
    assert read("From: erp@x.example", "Auto-Submitted: auto-generated").machine == "generated"
    assert read("From: a@x.example", "Auto-Submitted: no").machine is None
    assert read("From: a@x.example", "List-Id: <news.x.example>").is_list


def test_m16_a_read_receipt_is_no_answer() -> None:
    raw = (
        b"From: a@x.example\r\nSubject: Read: x\r\nContent-Type: multipart/report; boundary=b;"
        b" report-type=disposition-notification\r\n\r\n--b\r\n\r\nYour message was read.\r\n--b\r\n"
        b"Content-Type: message/disposition-notification\r\n\r\nDisposition: manual-action; displayed\r\n--b--\r\n"
    )
    mail = parse(raw, limits=LIMITS)
    assert mail.is_read_receipt
    assert not mail.is_bounce
    assert mail.machine == "auto_reply"


def test_m17_a_delivery_report_says_whose_mail_it_is_about() -> None:
    raw = (
        b"Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example\r\nSubject: Undelivered Mail\r\nContent-Type:"
        b" multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nNo such user.\r\n--b\r\n"
        b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822;"
        b" gone@x.example\r\nAction: failed\r\nStatus: 5.1.1\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\n"
        b"Message-ID: <our-1@seller.example>\r\nSubject: Reminder\r\n--b--\r\n"
    )
    report = parse(raw, limits=LIMITS).bounce
    assert report is not None
    assert (report.recipients, report.original_id) == (("gone@x.example",), "<our-1@seller.example>")
    assert (report.action, report.status) == ("failed", "5.1.1")


@pytest.mark.parametrize(
    ("lines", "body"),
    [
        (("From: ann@x.example", "Subject: Fwd: Undeliverable: your statement"), "This came back: user unknown."),
        (("Return-Path: <>", "From: ann@x.example", "Subject: Out of office"), "Your mail does not exist for me."),
        (("From: ann@x.example", "Subject: Goods not delivered"), "The pallet could not be delivered on Friday."),
        (("From: no-reply@x.example", "Subject: Payment"), "Delivery failed twice, we withhold payment."),
    ],
)
def test_m17_people_who_write_of_deliveries_are_no_mailers(lines: tuple[str, ...], body: str) -> None:
    assert not read(*lines, body=body).is_bounce


@needs_samples
def test_m17_public_bounces_are_recognised_and_linked() -> None:
    mails = [parse(path.read_bytes(), limits=LIMITS) for path in shared("mail/bounces") if "rfc3834" not in path.name]
    bounces = [mail.bounce for mail in mails if mail.bounce is not None]
    assert len(bounces) >= 0.98 * len(mails)
    assert sum(report.original_id is not None for report in bounces) >= 0.88 * len(mails)


@needs_samples
def test_m17_other_mail_is_hardly_ever_taken_for_a_bounce() -> None:
    labels = [json.loads(line) for line in (SHARED / "corpus/dev/labels.jsonl").read_text().splitlines()]
    people = [label["file"] for label in labels if label["reason"] not in {"bounce", "auto_reply"}]
    raws = ((SHARED / "corpus/dev/emails" / name).read_bytes() for name in people)
    alarms = sum(parse(raw, limits=LIMITS).machine in {"bounce", "auto_reply"} for raw in raws)
    assert alarms <= 0.01 * len(people)


@needs_samples
def test_m22_odd_mail_and_the_whole_corpus_are_read() -> None:
    odd = [parse(path.read_bytes(), limits=LIMITS) for path in shared("mail/odd")]
    assert len(odd) > 70
    assert sum(bool(mail.text.strip() or mail.attachments) for mail in odd) >= 0.9 * len(odd)
    labels = [json.loads(line) for line in (SHARED / "corpus/dev/labels.jsonl").read_text().splitlines()]
    for label in labels:
        mail = parse((SHARED / "corpus/dev/emails" / label["file"]).read_bytes(), limits=LIMITS)
        assert mail.message_id == label["message_id"]
        assert mail.sent_at == datetime.fromisoformat(label["date"])


def _nested(depth: int) -> bytes:
    opening = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (level, level) for level in range(depth)
    )
    return b"From: a@x.example\r\n" + opening + b"\r\ntext\r\n"


BOMBS = {
    "empty": b"",
    "white space": b" \r\n\r\n \0",
    "subject of 280 KB": b"Subject: " + b"x" * 280_000 + b"\r\n\r\nx",
    "encoded words": b"Subject: " + b"=?a?q?" * 40_000 + b"\r\n\r\nx",
    "5,000 recipients": b"From: a@x.example\r\nTo: "
    + b", ".join(b"u%d@x.example" % n for n in range(5_000))
    + b"\r\n\r\nx",
    "many recipients": b"From: a@x.example\r\nTo: " + b",".join(b"u@x.example" for _ in range(2_000)) + b"\r\n\r\nx",
    "many headers": b"A: b\r\n" * 9_000 + b"\r\nx",
    "deep parts": _nested(400),
    "many parts": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 5_000,
}
HARMLESS_BOMBS = {
    "open boundary": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--bb\r\n" * 200_000,
    "parentheses": b"From: " + b"(" * 30_000 + b"\r\n\r\nx",
    "quotes": b'From: "' + b'\\"' * 15_000 + b"\r\n\r\nx",
    "parameters": b"Content-Type: text/plain" + b"; a*0*=b" * 6_000 + b"\r\n\r\nx",
    "base64": b"Content-Transfer-Encoding: base64\r\n\r\n" + b"QUFB\r\n" * 500_000,
    "references": b"References: " + b"<a@b> " * 9_000 + b"\r\n\r\nx",
    "charset": b"Content-Type: text/plain; charset=punycode\r\n\r\n" + b"a-" * 100_000,
    "html": b"Content-Type: text/html\r\n\r\n" + b"<b>" * 300_000 + b"</i>" * 300_000,
    "quote lines": b"\r\n" + b"On 3 May 2026, <\r\n" * 100_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_s10_a_bomb_is_refused_with_a_reason(name: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        parse(BOMBS[name], limits=LIMITS)
    assert len(refusal.value.message) > 10


@pytest.mark.parametrize("name", HARMLESS_BOMBS)
def test_s10_a_bomb_within_the_bounds_is_read(name: str) -> None:
    assert parse(HARMLESS_BOMBS[name], limits=LIMITS).body.spans


@pytest.mark.parametrize(
    ("charset", "raw", "text"),
    [
        ("gb2312", "镕基".encode("gb18030"), "镕基"),
        ("iso-8859-1", b"10 \x80", "10 €"),
        ("us-ascii", "payé".encode(), "payé"),
        ("utf-8", "payé".encode("cp1252"), "payé"),
        ("no-such-charset", "payé".encode(), "payé"),
        ("base64", "payé".encode(), "payé"),
    ],
)
def test_m23_charsets_are_believed_widened_and_guessed(charset: str, raw: bytes, text: str) -> None:
    head = f"From: a@x.example\r\nContent-Type: text/plain; charset={charset}\r\n\r\n".encode()
    assert parse(head + raw, limits=LIMITS).text == text


@given(raw=st.binary(max_size=300), charset=st.text(max_size=12))
def test_m23_no_charset_raises(raw: bytes, charset: str) -> None:
    head = f"From: a@x.example\r\nContent-Type: text/plain; charset={charset!r}\r\n\r\n".encode()
    assert "\0" not in parse(head + raw, limits=LIMITS).text


def test_m24_names_of_attachments_are_decoded_and_are_no_paths() -> None:
    raw = (
        b"From: a@x.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: application/x\r\n"
        b"Content-Disposition: attachment; filename*0*=utf-8''relev%C3%A9; filename*1=\" 1.bin\"\r\n\r\nx\r\n--b\r\n"
        b'Content-Type: application/x; name="=?utf-8?B?w6kucGRm?="\r\n\r\nx\r\n--b\r\n'
        b'Content-Disposition: attachment; filename="..\\\\..\\\\/etc/passwd"\r\n\r\nx\r\n--b--\r\n'
    )
    assert [file.filename for file in parse(raw, limits=LIMITS).attachments] == ["relevé 1.bin", "é.pdf", "passwd"]


def test_m24_text_of_attachments_is_read_for_matching() -> None:
    message = built()
    message.add_attachment("Invoice;4711", filename="open items.csv", subtype="csv")
    message.add_attachment(_workbook(), maintype="application", subtype="octet-stream", filename="items.xlsx")
    message.add_attachment(_pdf("Invoice 4712"), maintype="application", subtype="octet-stream", filename="a.pdf")
    message.add_attachment(b"<x><ID>4713</ID><To>9</To></x>", maintype="application", subtype="xml", filename="i.xml")
    files = parse(message.as_bytes(), limits=LIMITS).attachments
    assert [file.text.strip() for file in files] == [
        "Invoice;4711",
        "Number\tAmount\n4711\t1297.44",
        "Invoice 4712",
        "4713 9",
    ]


def _workbook() -> bytes:
    rows = (
        '<row><c t="s"><v>0</v></c><c t="inlineStr"><is><t>Amount</t></is></c></row>'
        "<row><c><v>4711</v></c><c><v>1297.4400000000001</v></c></row>"
    )
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("xl/sharedStrings.xml", f"<sst {space}><si><t>Num</t><t>ber</t></si></sst>")
        archive.writestr("xl/worksheets/sheet1.xml", f"<worksheet {space}><sheetData>{rows}</sheetData></worksheet>")
    return file.getvalue()


def _pdf(words: str) -> bytes:
    """The smallest PDF that says something."""
    stream = f"BT /F1 12 Tf 10 10 Td ({words}) Tj ET".encode()
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    out = b"%PDF-1.4\n"
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + b"xref\n0 6\n0000000000 65535 f \n%strailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (
        table,
        len(out),
    )


def test_s09_a_workbook_with_a_document_type_gives_no_text() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("xl/worksheets/sheet1.xml", '<!DOCTYPE x [<!ENTITY e "secret">]><worksheet>&e;</worksheet>')
    message = built()
    message.add_attachment(file.getvalue(), maintype="application", subtype="x", filename="a.xlsx")
    assert parse(message.as_bytes(), limits=LIMITS).attachments[0].text == ""


def test_s10_a_workbook_that_unpacks_to_too_much_gives_no_text() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"<a>" + b" " * 60_000_000)
    message = built()
    message.add_attachment(file.getvalue(), maintype="application", subtype="x", filename="bomb.xlsx")
    mail = parse(message.as_bytes(), limits=LIMITS)
    assert mail.attachments[0].text == ""
    assert any("bomb.xlsx" in defect for defect in mail.defects)


def test_s10_a_document_that_takes_too_long_is_given_up_and_the_next_mail_is_read() -> None:
    endless = _pdf("x) Tj ET " + "BT /F1 12 Tf (x) Tj ET\n" * 150_000 + "BT (x")
    message = built()
    for number in range(3):
        message.add_attachment(endless, maintype="application", subtype="pdf", filename=f"{number}.pdf")
    mail = parse(message.as_bytes(), limits=LIMITS)
    assert len(mail.attachments) == 3
    assert any("2.pdf: not read" in defect for defect in mail.defects)
    good = built()
    good.add_attachment(_pdf("Invoice 4712"), maintype="application", subtype="pdf", filename="a.pdf")
    assert parse(good.as_bytes(), limits=LIMITS).attachments[0].text == "Invoice 4712"
    assert parse(good.as_bytes(), limits=LIMITS, documents=False).attachments[0].text == ""


def test_m24_attached_mail_calendar_and_uuencoded_files_are_reachable() -> None:
    inner = built(text="The price of 4711 is wrong.")
    inner.add_attachment(b"abc", maintype="application", subtype="pdf", filename="inner.pdf")
    message = built(text="See the attached mail.\n\nbegin 644 old.txt\n#86)C\n`\nend\n")
    message.add_attachment(inner)
    message.add_attachment("BEGIN:VCALENDAR", subtype="calendar", filename="call.ics")
    mail = parse(message.as_bytes(), limits=LIMITS)
    names = {file.filename: file for file in mail.attachments}
    assert set(names) == {"Invoice.eml", "inner.pdf", "call.ics", "old.txt"}
    assert "The price of 4711 is wrong." in names["Invoice.eml"].text
    assert names["old.txt"].payload == b"abc"
    assert mail.text.strip() == "See the attached mail."
    assert mail.forwarded is not None
    assert mail.forwarded.from_email == "ann@customer.example"


def test_m24_a_broken_winmail_dat_is_kept_as_a_file() -> None:
    message = built()
    message.add_attachment(b"\x78\x9f\x3e\x22broken", maintype="application", subtype="ms-tnef", filename="winmail.dat")
    mail = parse(message.as_bytes(), limits=LIMITS)
    assert [file.filename for file in mail.attachments] == ["winmail.dat"]
    assert "winmail.dat cannot be opened" in mail.defects


def test_m25_inline_images_keep_their_content_id() -> None:
    message = built()
    message.add_alternative('<p>Hi<img src="cid:logo@x"></p>', subtype="html")
    html = list(message.iter_parts())[1]
    assert isinstance(html, EmailMessage)
    html.add_related(b"png", "image", "png", cid="<logo@x>")
    mail = parse(message.as_bytes(), limits=LIMITS)
    assert mail.html is not None
    assert [(file.content_id, file.inline) for file in mail.attachments] == [("logo@x", True)]


def test_html_mail_has_its_words_as_text() -> None:
    mail = read("From: a@x.example", "Content-Type: text/html", body="<p>Paid.</p><blockquote>Please pay</blockquote>")
    assert mail.new_text == "Paid."
    assert mail.html is not None


def test_m13_a_forward_keeps_outer_and_inner_sender_apart() -> None:
    body = (
        "FYI\r\n\r\n---------- Forwarded message ---------\r\nFrom: Bo <bo@y.example>\r\nSubject: Price\r\n\r\nWrong."
    )
    mail = read("From: a@x.example", body=body)
    assert mail.forwarded is not None
    assert (mail.from_email, mail.forwarded.from_email) == ("a@x.example", "bo@y.example")


def test_m29_headers_of_our_own_namespace_are_dropped() -> None:
    mail = read("From: a@x.example", "X-Amiable-Case: 7", "x-amiable-token: t", "X-Other: kept")
    assert not any(name.startswith("x-amiable") for name in mail.headers)
    assert mail.headers["x-other"] == ("kept",)


def test_m22_no_text_holds_what_a_database_refuses() -> None:
    mail = parse(b"From: a@x.example\r\nSubject: a\0b\r\n\r\nx\0y\xed\xa0\x80", limits=LIMITS)
    for text in (mail.subject, mail.text, mail.new_text):
        assert "\0" not in text
        text.encode()


def _refusal(raw: bytes) -> str | None:
    """Why a mail is refused; None when it is read. Anything else escapes and fails the test."""
    try:
        parse(raw, limits=LIMITS)
    except Unreadable as refusal:
        return refusal.message
    return None


@given(st.binary(max_size=2_000))
def test_m22_any_bytes_are_read_or_refused(raw: bytes) -> None:
    assert _refusal(raw) != ""


_PIECES = [
    b"From: a@b.example\n",
    b"Content-Type: multipart/mixed; boundary=b\n",
    b"Content-Type: multipart/mixed; boundary=\n",
    b"\n",
    b"--b\n",
    b"--b--\n",
    b"--b--b\n",
    b"Content-Type: message/rfc822\n",
    b"Content-Transfer-Encoding: base64\n",
    b"QUJD\n",
    b"=41\n",
    b"Content-Type: text/html\n",
    b"<p>x",
    b" folded\n",
    b"no header\n",
    b"Date: x\n",
    b"\xff\xfe\n",
    b"Content-Disposition: attachment; filename*=x''%\n",
    b"begin 644 a\n",
    b"#86)C\n",
    b"end\n",
    b"Subject: =?utf-8?b?w?=\n",
]


@given(st.lists(st.sampled_from(_PIECES), max_size=30))
def test_m22_any_mix_of_structure_is_read_or_refused(pieces: list[bytes]) -> None:
    assert _refusal(b"".join(pieces)) != ""


def test_base64_with_rubbish_between_is_read() -> None:
    body = "!" + base64.b64encode(b"Please send invoice 4711").decode() + "*"
    mail = read("From: a@x.example", "Content-Transfer-Encoding: base64", body=body)
    assert mail.text == "Please send invoice 4711"
