"""A small invented ledger for stories about matching."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from matching.facts import (
    AccountFacts,
    AttachmentText,
    InvoiceFacts,
    LineFacts,
    MailFacts,
    MatchDecision,
    MatchPolicy,
    PaymentFacts,
    ThreadFacts,
)
from matching.matcher import match
from matching.memory import MemoryIndex
from matching.scoring import default_weights

SENT = datetime(2026, 5, 4, 9, tzinfo=UTC)
BAKER, HOTEL, COUSIN = 1, 2, 3

_GOODS = (
    ("FLR-25", "Flour T55 25 kg", "17.40"),
    ("RIC-10", "Basmati rice 10 kg", "21.30"),
    ("OIL-05", "Olive oil 5 L", "38.90"),
    ("CHO-03", "Dark chocolate 3 kg", "41.50"),
    ("JAM-02", "Apricot jam 2 kg", "11.20"),
)


def the_accounts() -> list[AccountFacts]:
    """A bakery, a hotel whose people use freemail, and a second company of the bakery's name."""
    return [
        AccountFacts(BAKER, "C10101", 1, "Perrin et Fils SARL", frozenset({"ap@perrin.example"}), ("Claire Martin",)),
        AccountFacts(HOTEL, "C10102", 1, "Hotel Bellevue Ltd", frozenset({"bellevue.ap@gmail.com"}), ("Tom Reed",)),
        AccountFacts(COUSIN, "C10103", 1, "Perrin Vins SA", frozenset({"compta@perrin-vins.example"}), ("Luc Perrin",)),
    ]


def the_invoices() -> list[InvoiceFacts]:
    """Thirty invoices in one dense sequence, dealt out to the three accounts in turn; every fourth one is settled."""
    return [_invoice(step) for step in range(30)]


def _invoice(step: int) -> InvoiceFacts:
    sku, text, price = _GOODS[step % len(_GOODS)]
    quantity = Decimal(4 + step)
    net = quantity * Decimal(price)
    issued = date(2026, 1, 5) + timedelta(days=3 * step)
    gross = (net * Decimal("1.2")).quantize(Decimal("0.01"))
    return InvoiceFacts(
        id=100 + step,
        number=f"LU26-{4300 + step:05d}",
        entity_id=1,
        account_id=(BAKER, HOTEL, COUSIN)[step % 3],
        kind="invoice",
        issued=issued,
        due=issued + timedelta(days=30),
        currency="EUR",
        gross=gross,
        open=gross if step % 4 else Decimal(0),
        net=net,
        po=f"PO{70500 + 7 * step}",
        order=f"SO-{911000 + step}",
        delivery=f"BL{55100 + 3 * step}",
        lines=(LineFacts(sku, text, quantity, Decimal(price)),),
    )


INVOICES = {invoice.id: invoice for invoice in the_invoices()}
BAKERS = [invoice for invoice in INVOICES.values() if invoice.account_id == BAKER]


def the_index() -> MemoryIndex:
    """The whole ledger."""
    return MemoryIndex(the_accounts(), the_invoices(), [PaymentFacts("VIR5522117", BAKER, Decimal(100), (100,))])


def a_mail(subject: str = "", text: str = "", **values: Any) -> MailFacts:
    """A mail of the bakery's."""
    given: dict[str, Any] = {
        "quoted_text": "",
        "signature": "",
        "attachments": (),
        "from_email": "ap@perrin.example",
        "from_name": "Claire Martin",
        "entity_ids": (1,),
        "sent_at": SENT,
        "direction": "in",
    }
    return MailFacts(subject=subject, new_text=text, **{**given, **values})


def decide(mail: MailFacts, *, index: MemoryIndex | None = None, thread: ThreadFacts | None = None) -> MatchDecision:
    """Match with the shipped weights and policy."""
    return match(mail, index or the_index(), policy=MatchPolicy(), weights=default_weights(), thread=thread)


def likely(mail: MailFacts, *, index: MemoryIndex | None = None, thread: ThreadFacts | None = None) -> list[str]:
    """The numbers of the invoices the matcher would act on."""
    decision = decide(mail, index=index, thread=thread)
    return sorted(INVOICES[link.invoice_id].number for link in decision.likely)


def a_file(name: str, text: str) -> tuple[AttachmentText, ...]:
    """One attachment."""
    return (AttachmentText(name, text),)
