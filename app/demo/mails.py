"""The demo's mailbox: some 400 mails of the last weeks, from short scripts about invoices of the demo's ledger."""

import struct
import tomllib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import cache
from html import escape
from importlib import resources
from random import Random
from typing import Any

from app.core.money import rounded, shown
from app.demo.ledger import ENTITIES, Ledger, words

MAILS = 400
WEEKS = 6
FREQUENT = {
    "price": 8, "quantity": 7, "quality": 6, "delivery": 5, "wrong_item": 3, "duplicate_invoice": 4, "already_paid": 7,
    "missing_reference": 4, "wrong_recipient": 2, "tax": 2, "payment_terms": 3, "not_ordered": 2, "missing_credit": 4,
    "charges": 3, "copy_invoice": 8, "statement": 3, "proof_of_delivery": 4, "bank_details": 2, "remittance": 6,
    "promise_to_pay": 8, "payment_plan": 2, "account_update": 2, "status": 4, "acknowledgement": 2, "other_query": 1,
    "auto_reply": 5, "spam": 3,
}  # fmt: skip
"""How often customers write about what; roughly what receivables mailboxes hold."""
SETTLED = {"remittance"}
NEVER_CHASED = {"auto_reply", "spam", "acknowledgement", "remittance", "promise_to_pay", "account_update"}
CHASED = 0.3
THANKED = 0.15
TWO_INVOICES = 0.12


@dataclass(frozen=True)
class DemoMail:
    """One raw mail, when it came, at which mailbox, and which story it belongs to."""

    at: datetime
    mailbox: str
    raw: bytes
    story: int


@dataclass(frozen=True)
class Story:
    """One matter of one customer: who writes, in which words, about which invoices."""

    number: int
    customer: Mapping[str, Any]
    contact: Mapping[str, str]
    language: str
    script: Mapping[str, Any]
    facts: Mapping[str, str]
    at: datetime

    @property
    def mailbox(self) -> str:
        """The seller's mailbox the customer writes to."""
        return str(next(e["mailbox"] for e in ENTITIES if e["id"] == self.customer["entity"]))


@cache
def scripts() -> tuple[Mapping[str, Any], ...]:
    """Every script, with its language, reason, subject and text."""
    found: list[Mapping[str, Any]] = []
    for name, language in (("texts_en.toml", "en"), ("texts_fr.toml", "fr"), ("texts_more.toml", "")):
        text = resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
        found += [{"lang": language, **script} for script in tomllib.loads(text)["mail"]]
    return tuple(found)


def make_mails(ledger: Ledger, *, random: Random, now: datetime) -> list[DemoMail]:
    """The mails in order of arrival, the last one shortly before `now`."""
    by_account: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for invoice in ledger.invoices:
        by_account.setdefault((invoice["entity"], invoice["account"]), []).append(invoice)
    writers = [c for c in ledger.customers if len(by_account.get((c["entity"], c["account"]), ())) > 3]  # noqa: PLR2004 - enough to write about
    mails: list[DemoMail] = []
    number = 0
    while len(mails) < MAILS:
        customer = random.choice(writers)
        invoices = by_account[customer["entity"], customer["account"]]
        mails += _told(_story(number, customer, invoices, random=random, now=now), random=random, now=now)
        number += 1
    return sorted(mails, key=lambda mail: mail.at)[:MAILS]


def _story(
    number: int, customer: Mapping[str, Any], invoices: Sequence[dict[str, Any]], *, random: Random, now: datetime
) -> Story:
    reason = random.choices(list(FREQUENT), weights=list(FREQUENT.values()))[0]
    at = _office_hour(now - timedelta(days=random.triangular(0, WEEKS * 7, 8)), random=random, now=now)
    script = _script(reason, str(customer["language"]), random=random)
    chosen = _invoices(reason, invoices, random=random, day=at.date())
    contact = random.choice(customer["contacts"])
    facts = _facts(chosen, customer, contact, language=str(script["lang"]), random=random, at=at)
    return Story(number, customer, contact, str(script["lang"]), script, facts, at)


def _script(reason: str, language: str, *, random: Random) -> Mapping[str, Any]:
    """A script for the reason in the customer's language, or in English where there is none."""
    fitting = [s for s in scripts() if s["reason"] == reason]
    spoken = [s for s in fitting if s["lang"] == language] or [s for s in fitting if s["lang"] == "en"]
    return random.choice(spoken)


def _invoices(reason: str, invoices: Sequence[dict[str, Any]], *, random: Random, day: date) -> list[dict[str, Any]]:
    """What the mail is about: issued before the mail, usually open, the newer the likelier."""
    known = [i for i in invoices if i["issued"] < day.isoformat() and i["kind"] == "invoice"] or list(invoices)
    unpaid = [i for i in known if i["open"] != "0.00"]
    pool = sorted(known if reason in SETTLED or not unpaid else unpaid, key=lambda i: str(i["issued"]))[-8:]
    two = len(pool) > 1 and random.random() < TWO_INVOICES
    return random.sample(pool, 2) if two else [random.choice(pool)]


def _facts(
    invoices: Sequence[dict[str, Any]],
    customer: Mapping[str, Any],
    contact: Mapping[str, str],
    *,
    language: str,
    random: Random,
    at: datetime,
) -> dict[str, str]:
    invoice = invoices[0]
    line = random.choice(invoice["lines"])
    price, quantity = Decimal(line["unit_price"]), int(line["quantity"])
    agreed = rounded(price * Decimal("0.92"), invoice["currency"])
    total = sum((Decimal(i["gross"]) for i in invoices), Decimal(0))

    def money(amount: Decimal) -> str:
        return shown(amount, invoice["currency"], language)

    return {
        "inv": _and(language).join(_written(i["number"], random=random) for i in invoices),
        "amount": money(total),
        "price": money(price),
        "agreed": money(agreed),
        "diff": money((price - agreed) * quantity),
        "qty": str(quantity),
        "got": str(max(1, quantity - random.randint(1, 3))),
        "product": line["text"],
        "po": invoice["po"] or "PO-" + invoice["order"][2:],
        "order": invoice["order"],
        "delivery": invoice["delivery"],
        "date": _day(date.fromisoformat(invoice["issued"])),
        "due": _day(date.fromisoformat(invoice["due"])),
        "paid": _day(at.date() - timedelta(days=random.randint(2, 12))),
        "promise": _day(at.date() + timedelta(days=random.randint(3, 14))),
        "company": str(customer["name"]),
        "phone": contact["phone"],
        "domain": contact["email"].partition("@")[2],
    }


def _written(number: str, *, random: Random) -> str:
    """The number as people write it: mostly right, sometimes without prefix or with a blank."""
    style = random.random()
    if style < 0.75:  # noqa: PLR2004 - three in four copy it
        return number
    return number.replace("-", " ") if style < 0.85 else number.replace("-", "").replace("/", "")  # noqa: PLR2004 - one in ten


def _and(language: str) -> str:
    return {"fr": " et ", "de": " und ", "nl": " en ", "es": " y ", "it": " e "}.get(language, " and ")


def _day(day: date) -> str:
    return f"{day:%d/%m/%Y}"


def _office_hour(at: datetime, *, random: Random, now: datetime) -> datetime:
    """Move into a working day between seven and six; never after now."""
    moved = _weekday(at).replace(hour=random.randint(7, 17), minute=random.randint(0, 59), second=random.randint(0, 59))
    if moved >= now:
        moved = _weekday(now - timedelta(days=1)).replace(hour=moved.hour, minute=moved.minute)
    return moved.replace(microsecond=0)


def _weekday(at: datetime) -> datetime:
    """The same time on the last working day before a weekend."""
    return at - timedelta(days=max(0, at.weekday() - 4))


def _told(story: Story, *, random: Random, now: datetime) -> list[DemoMail]:
    """The first mail of the story and, sometimes, a chaser or thanks some days later."""
    first_id = f"{random.getrandbits(64):016x}@{story.facts['domain']}"
    subject = story.script["subject"].format(**story.facts)
    first = _mail(story, at=story.at, rfc_id=first_id, subject=subject, text=story.script["text"], random=random)
    mails = [DemoMail(story.at, story.mailbox, first, story.number)]
    wanted = story.at + timedelta(days=random.randint(3, 10))
    later = _office_hour(wanted, random=random, now=now)
    follow = random.random()
    if follow > CHASED + THANKED or wanted >= now or later <= story.at or story.script["reason"] in NEVER_CHASED:
        return mails
    answer = _script("chaser" if follow < CHASED else "thanks", story.language, random=random)
    quoted = f"\n\n{_day(story.at.date())} {story.contact['name']}:\n> " + _body(story.script["text"], story).replace(
        "\n", "\n> "
    )
    raw = _mail(
        story,
        at=later,
        rfc_id=f"{random.getrandbits(64):016x}@{story.facts['domain']}",
        subject=answer["subject"].format(subject=subject),
        text=answer["text"],
        random=random,
        answers=first_id,
        quoted=quoted,
    )
    return [*mails, DemoMail(later, story.mailbox, raw, story.number)]


def _body(text: str, story: Story) -> str:
    closing = words()[story.language]["closing"]
    contact = story.contact
    signature = f"{closing}\n{contact['name']}\n{contact['role']}\n{story.customer['name']}\nTel. {contact['phone']}"
    return f"{text.format(**story.facts)}\n\n{signature}"


def _mail(
    story: Story,
    *,
    at: datetime,
    rfc_id: str,
    subject: str,
    text: str,
    random: Random,
    answers: str | None = None,
    quoted: str = "",
) -> bytes:
    mail = EmailMessage(policy=SMTP)
    mail["Message-ID"] = f"<{rfc_id}>"
    mail["Date"] = format_datetime(at.astimezone(UTC))
    mail["From"] = f"{story.contact['name']} <{story.contact['email']}>"
    mail["To"] = story.mailbox
    mail["Subject"] = subject
    if answers:
        mail["In-Reply-To"] = mail["References"] = f"<{answers}>"
    if story.script["reason"] == "auto_reply":
        mail["Auto-Submitted"] = "auto-replied"
    body = _body(text, story)
    mail.set_content(body + quoted, cte="quoted-printable")
    if random.random() < 0.4:  # noqa: PLR2004 - two in five send HTML too
        paragraphs = "".join(f"<p>{escape(p).replace(chr(10), '<br>')}</p>" for p in body.split("\n\n"))
        quote = f"<blockquote>{escape(quoted).replace(chr(10), '<br>')}</blockquote>" if quoted else ""
        mail.add_alternative(f"<html><body>{paragraphs}{quote}</body></html>", subtype="html", cte="quoted-printable")
    name = story.script.get("attachment")
    if name and not answers:
        _attach(mail, str(name), story)
    # A fixed boundary: the same seed gives the same bytes, and importing the demo twice doubles nothing.
    for n, part in enumerate(mail.walk()):
        if part.is_multipart():
            part.set_boundary(f"=_{rfc_id[:16]}_{n}")
    return mail.as_bytes()


def _attach(mail: EmailMessage, name: str, story: Story) -> None:
    if name.endswith(".pdf"):
        text = f"Balance confirmation requested for {story.customer['name']}"
        mail.add_attachment(text.encode(), maintype="text", subtype="plain", filename=name.replace(".pdf", ".txt"))
        return
    mail.add_attachment(_picture(), maintype="image", subtype="png", filename=name.replace(".jpg", ".png"))


@cache
def _picture() -> bytes:
    """A small grey picture with a crack across it, as PNG (RFC 2083)."""
    size = 64
    rows = b"".join(b"\0" + bytes(40 if abs(x - y) < 2 else 190 for x in range(size)) for y in range(size))  # noqa: PLR2004 - the crack's width

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", size, size, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
