"""What the case page shows, put in order: the timeline, the invoice cards, what happens next."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from app.core.i18n import Words
from app.web import proof
from app.web.history import Happening, Reader, happening
from disputes.models import Attachment, Case, CaseInvoice, Link, Message, Note, Outgoing, Task
from disputes.own_reasons import Reasons
from disputes.queries import CasePage
from disputes.reasons import DISPUTE, OTHER, QUERY, is_reason, kind_of
from invoices.models import Invoice

MAX_RANKED = 5
_ORDER = {"confirmed": 0, "proposed": 1, "rejected": 2}
_SILENT = frozenset({"message worked", "message joined", "note written"})
"""Events the timeline tells by the message or the note itself."""


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message with its marked parts."""

    message: Message
    subject: Sequence[proof.Piece]
    text: Sequence[proof.Piece]
    quote: Sequence[proof.Piece]
    signature: Sequence[proof.Piece]
    files: Sequence[Attachment]
    recipients: Sequence[str]
    show_subject: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """Something in the timeline: exactly one of the four is set."""

    at: datetime
    message: MessageView | None = None
    outgoing: Outgoing | None = None
    note: Note | None = None
    events: Sequence[Happening] = ()


@dataclass(frozen=True, slots=True)
class InvoiceCard:
    """An invoice the case may be about: the strongest link to it, its proofs, the runner-up of the same mail."""

    invoice: Invoice
    link: Link
    message: Message
    proofs: Sequence[proof.Proof]
    in_case: CaseInvoice | None
    rival: tuple[str, float] | None


@dataclass(frozen=True, slots=True)
class Ranked:
    """A reason offered for correction: its number key, name and how probable the program finds it."""

    key: str
    name: str
    share: float | None


def timeline(page: CasePage, reader: Reader, *, messages_only: bool = False) -> list[Entry]:
    """Messages, our mail in the outbox, notes and events, in the order they happened; events in a row are one entry."""
    entries = [*_message_entries(page), *(Entry(out.created_at, outgoing=out) for out in page.outgoing)]
    entries += [Entry(note.at, note=note) for note in page.notes]
    told = () if messages_only else (event for event in page.events if event.verb not in _SILENT)
    entries += [Entry(event.at, events=(happening(event, reader),)) for event in told]
    return _grouped(sorted(entries, key=lambda entry: entry.at))


def reader_of(page: CasePage, *, words: Words, zone: tzinfo, reasons: Callable[[str], str]) -> Reader:
    """Whoever reads the page, with what its events speak of."""
    links = [link for message in page.messages for link in message.links]
    invoices = [*(row.invoice for row in page.invoices), *(link.invoice for link in links)]
    return Reader(
        words=words,
        zone=zone,
        names=page.names,
        teams=page.teams,
        invoices={invoice.id: (invoice.number, invoice.currency) for invoice in invoices},
        links={link.id: link.invoice_id for link in links},
        reasons=reasons,
    )


def _message_entries(page: CasePage) -> Iterable[Entry]:
    before = None
    for message in page.messages:
        subject = _bare(message.subject)
        yield Entry(message.sent_at or message.received_at, message=view(message, show_subject=subject != before))
        before = subject


def _bare(subject: str) -> str:
    """The subject without Re: and the like: said once, it need not be repeated on each answer."""
    return subject.rsplit(": ", 1)[-1].strip().casefold()


def view(message: Message, *, show_subject: bool = True) -> MessageView:
    """A message with evidence and deciding words marked. `links` and `attachments` must be loaded."""
    return MessageView(
        message=message,
        subject=proof.part(message, "subject", message.links),
        text=proof.part(message, "new", message.links),
        quote=proof.part(message, "quote", message.links),
        signature=proof.part(message, "signature", message.links),
        files=[file for file in message.attachments if not file.inline],
        recipients=[_address(one) for one in (*message.to, *message.cc)],
        show_subject=show_subject,
    )


def _address(recipient: Any) -> str:
    return str(recipient.get("email") or recipient.get("name")) if isinstance(recipient, dict) else str(recipient)


def _grouped(entries: Sequence[Entry]) -> list[Entry]:
    groups: list[Entry] = []
    for entry in entries:
        if entry.events and groups and groups[-1].events:
            groups[-1] = Entry(groups[-1].at, events=(*groups[-1].events, *entry.events))
        else:
            groups.append(entry)
    return groups


def invoice_cards(page: CasePage) -> list[InvoiceCard]:
    """One card an invoice, confirmed ones first, then what is to be checked by probability; rejected ones last."""
    links = [(link, message) for message in page.messages for link in message.links]
    best: dict[int, tuple[Link, Message]] = {}
    for link, message in sorted(links, key=lambda pair: _rank(pair[0])):
        best.setdefault(link.invoice_id, (link, message))
    in_case = {row.invoice_id: row for row in page.invoices}
    return [_card(link, message, in_case) for link, message in best.values()]


def unlinked(page: CasePage, cards: Sequence[InvoiceCard]) -> list[Invoice]:
    """Invoices of the case that no message shown links to: their money is told all the same."""
    shown = {card.invoice.id for card in cards if card.link.state != "rejected"}
    return [row.invoice for row in page.invoices if row.invoice_id not in shown]


def _rank(link: Link) -> tuple[int, float]:
    return _ORDER.get(link.state, 3), -link.probability


def _card(link: Link, message: Message, in_case: Mapping[int, CaseInvoice]) -> InvoiceCard:
    return InvoiceCard(
        invoice=link.invoice,
        link=link,
        message=message,
        proofs=proof.proofs(link.evidence),
        in_case=in_case.get(link.invoice_id),
        rival=rival_of(link, message.links),
    )


def rival_of(link: Link, links: Sequence[Link]) -> tuple[str, float] | None:
    """The next invoice the same mention may mean, by the probability matching kept, with its number if it is known."""
    share = float((link.runner_up or {}).get("probability") or 0.0)
    if share <= 0.0:
        return None
    near = [other for other in links if other is not link and abs(other.probability - share) < _CLOSE]
    return (near[0].invoice.number if near else ""), share


_CLOSE = 0.0005


def ranked_reasons(case: Case, messages: Sequence[Message], known: Reasons) -> list[Ranked]:
    """The likeliest reasons first, each with a digit to press; every reason of disputes and queries after them."""
    shares = {name: share for name, share in _shares(messages).items() if known.usable(name)}
    likely = [name for name in sorted(shares, key=lambda name: -shares[name]) if name != case.reason][:MAX_RANKED]
    rest = [name for kind in (DISPUTE, QUERY) for name in known.of_kind(kind) if name not in likely]
    first = [Ranked(str(key), name, shares[name]) for key, name in enumerate(likely, start=1)]
    return [*first, *(Ranked("", name, shares.get(name)) for name in rest)]


def _shares(messages: Sequence[Message]) -> dict[str, float]:
    """The newest customer message that was ranked decides."""
    for message in reversed(messages):
        if message.direction == "in" and message.ranking:
            pairs = {str(name): float(share) for name, share in message.ranking}
            return {name: share for name, share in pairs.items() if is_reason(name) and kind_of(name) != OTHER}
    return {}


@dataclass(frozen=True, slots=True)
class ToDo:
    """Open tasks of one kind: how many, and when the first is due."""

    kind: str
    count: int
    due_at: datetime | None


def to_dos(tasks: Sequence[Task]) -> list[ToDo]:
    """What is left to do, one line a kind, the most urgent first: every mail adds a task, a reader needs the sum."""
    found: dict[str, list[Task]] = {}
    for task in tasks:
        if task.state == "open":
            found.setdefault(task.kind, []).append(task)
    lines = [
        ToDo(kind, len(group), min((t.due_at for t in group if t.due_at), default=None))
        for kind, group in found.items()
    ]
    return sorted(lines, key=lambda line: (line.due_at is None, line.due_at or datetime.max.replace(tzinfo=UTC)))


def files_of(page: CasePage) -> list[tuple[Attachment, Message]]:
    """Every attachment of the case, the newest first."""
    pairs = [(file, message) for message in page.messages for file in message.attachments if not file.inline]
    return list(reversed(pairs))
