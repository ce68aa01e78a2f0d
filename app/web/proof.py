"""Evidence and deciding words as a page shows them: what agrees, what disagrees, and where it stands in the mail."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from disputes.models import Link, Message

N_ = str  # marks a msgid for extraction
MAX_MARKS = 120
MAX_WORDS = 8
"""Deciding words shown; what weighed less only distracts."""

FIELDS: Mapping[str, str] = {
    "full": N_("Invoice number"),
    "compact": N_("Invoice number, written another way"),
    "serial": N_("Serial part of the number"),
    "grown": N_("Number with the year or prefix left out"),
    "range": N_("Within a range of numbers"),
    "short": N_("Short number"),
    "tail4": N_("Last four digits"),
    "tail3": N_("Last three digits"),
    "tiny": N_("Number of two digits"),
    "listed": N_("In a list with others named"),
    "listed_end": N_("In a list with others named"),
    "number_and_day": N_("Number and date together"),
    "ref_letters": N_("Letters of the reference fit"),
    "credited": N_("Its credit note is named"),
    "in_total": N_("Part of a total that adds up"),
    "newest_asked": N_("The latest invoice is asked for"),
    "typo": N_("Number with a typing error"),
    "po": N_("Purchase order"),
    "order": N_("Order number"),
    "delivery": N_("Delivery note"),
    "typo_letters": N_("Number with its letters, one typing error"),
    "number_and_sum": N_("Number and amount together"),
    "only_named": N_("The only invoice the mail names"),
    "quoted_many": N_("Named where much is quoted"),
    "gross": N_("Total amount"),
    "total": N_("Total amount"),
    "total_bare": N_("Total amount, no currency"),
    "balance": N_("Open amount"),
    "balance_bare": N_("Open amount, no currency"),
    "line": N_("Amount of a line"),
    "line_bare": N_("Amount of a line"),
    "open": N_("Open amount"),
    "paid": N_("Amount paid"),
    "rounded": N_("Amount, rounded"),
    "gross_bare": N_("Total amount, no currency"),
    "open_bare": N_("Open amount, no currency"),
    "net": N_("Net amount"),
    "half": N_("Half the amount"),
    "issued": N_("Invoice date"),
    "issued_named": N_("Invoice of that date"),
    "issued_all": N_("One of the invoices of that date"),
    "due": N_("Due date"),
    "due_named": N_("Invoice due that day"),
    "due_all": N_("One of the invoices due that day"),
    "month": N_("Month of the invoice"),
    "month_named": N_("Invoice of that month"),
    "month_all": N_("One of the invoices of that month"),
    "payment": N_("Payment reference"),
    "cue": N_("Called an invoice"),
    "letters": N_("Letters of the number fit"),
    "subject_too": N_("In the subject and in the text"),
    "goods": N_("Goods on the invoice"),
    "goods_count": N_("Goods and their quantity"),
    "goods_lead": N_("Goods fit this invoice best"),
    "sku": N_("Article number"),
    "count": N_("A quantity on the invoice"),
    "thread": N_("The conversation is about it"),
    "thread_reply": N_("Answers a mail about it"),
    "thread_size": N_("The conversation is about it"),
    "case": N_("What the case is about"),
    "discussed": N_("Discussed before"),
    "discussed_first": N_("The last invoice discussed"),
    "discussed_by": N_("Discussed with the same person"),
    "discussed_alike": N_("The same words as before"),
    "discussed_days": N_("Discussed lately"),
    "overdue": N_("Overdue when the mail came"),
    "fell_due": N_("Fell due just before"),
    "only_open": N_("The only open invoice"),
    "newest": N_("The newest invoice"),
    "part_open": N_("Partly paid"),
    "credit_talked": N_("A credit note is meant"),
    "credit_unnumbered": N_("A credit note is meant"),
    "discussed_words": N_("The same words as before"),
    "still_open": N_("Still unpaid"),
}
AGAINST: Mapping[str, str] = {
    "still_open": N_("Already settled"),
    "other_account": N_("Belongs to another account"),
    "off_thread": N_("The conversation is about others"),
    "off_thread_named": N_("The conversation is about others"),
    "others_named": N_("The mail names others"),
    "beside_named": N_("The mail names others"),
    "beside_subject": N_("The subject names others"),
    "attached_beside_named": N_("Only attached, beside others named"),
    "carried_beside_named": N_("Only carried along, beside others named"),
    "contrasted": N_("Told apart from others named"),
    "many_beside_named": N_("One of many beside those named"),  # of links made before decision 0021
    "beside_attached": N_("A file or quote names others"),
    "beside_pointed": N_("The mail points to others"),
    "inside": N_("Part of a longer number"),
    "wrong_letters": N_("The letters of the number differ"),
    "master_data_talk": N_("The mail is about the account's data"),
    "future": N_("Issued after the mail"),
    "wrong_cue": N_("Called something else than an invoice"),
    "folded": N_("Needed letters read as digits"),
    "goods_missing": N_("None of the goods named"),
    "num_rivals": N_("The number fits others too"),
    "ref_rivals": N_("The reference fits others too"),
    "sum_rivals": N_("The amount fits others too"),
    "unnumbered": N_("No number given"),
    "ledger_talk": N_("The mail is about the whole account"),
    "credit": N_("Is a credit note"),
    "age": N_("Old when the mail came"),
    "quoted_many": N_("Only quoted, among many"),
}
PLACES: Mapping[str, str] = {
    "q": N_("in the quoted part"),
    "a": N_("in an attachment"),
    "f": N_("in the forwarded part"),
    "r": N_("in the subject answered"),
}


@dataclass(frozen=True, slots=True)
class Proof:
    """One field that agrees or disagrees: English words, where it stands, what the mail says, and its weight."""

    agrees: bool
    words: str
    place: str
    quote: str
    bits: float


@dataclass(frozen=True, slots=True)
class Mark:
    """Words of a text to mark. `ref` ties them to a card (`invoice-7`, `reason`); `look` is evidence or cue."""

    start: int
    end: int
    ref: str
    look: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text under the same marks; plain where there are none."""

    text: str
    refs: str = ""
    looks: str = ""


def proofs(evidence: Sequence[Mapping[str, Any]]) -> list[Proof]:
    """The evidence of a link, what agrees first, the strongest first; what says nothing on screen is left out."""
    found = [proof for entry in evidence if (proof := _proof(entry)) is not None]
    strongest = sorted(found, key=lambda proof: (not proof.agrees, -abs(proof.bits)))
    # Several features of the matcher say the same to a reader: the strongest speaks for them.
    return list({(proof.agrees, proof.words, proof.quote): proof for proof in reversed(strongest)}.values())[::-1]


def _proof(entry: Mapping[str, Any]) -> Proof | None:
    """None for what a reader would not understand: a field that fits but weighs less than nothing, or the reverse."""
    name, _, place = str(entry.get("what", "")).partition("@")
    bits, quote = float(entry.get("bits") or 0.0), str(entry.get("text") or "")[:80]
    if name == "open" and not quote:
        name = "still_open"  # the same name is a mention of the open amount where the mail's words are given
    words = (FIELDS if bits >= 0 else AGAINST).get(name)
    return Proof(bits >= 0, words, PLACES.get(place, ""), quote, bits) if words else None


def evidence_marks(links: Iterable[Link], source: str) -> list[Mark]:
    """Where the evidence of links stands in one part of the message: subject, new, quote or signature."""
    return [
        Mark(int(entry["start"]), int(entry["end"]), f"invoice-{link.invoice_id}", "evidence")
        for link in links
        if link.state != "rejected"
        for entry in link.evidence
        if entry.get("source") == source and entry.get("end", 0) > entry.get("start", 0)
    ]


def cue_marks(message: Message, source: str) -> list[Mark]:
    """The words that decided the reason, where they stand in one part of the message."""
    return [
        Mark(int(entry["start"]), int(entry["end"]), "reason", "cue")
        for entry in message.deciding_words[:MAX_WORDS]
        if entry.get("source") == source and entry.get("end", 0) > entry.get("start", 0)
    ]


def marked(text: str, marks: Sequence[Mark]) -> list[Piece]:
    """The text cut where marks begin and end. Marks outside the text are ignored: it may have been cut."""
    within = [mark for mark in marks[:MAX_MARKS] if 0 <= mark.start < mark.end <= len(text)]
    if not within:
        return [Piece(text)]
    cuts = sorted({0, len(text), *(mark.start for mark in within), *(mark.end for mark in within)})
    return [_piece(text, start, end, within) for start, end in pairwise(cuts)]


def _piece(text: str, start: int, end: int, marks: Sequence[Mark]) -> Piece:
    over = [mark for mark in marks if mark.start <= start and end <= mark.end]
    refs = " ".join(dict.fromkeys(mark.ref for mark in over))
    looks = " ".join(f"is-{look}" for look in dict.fromkeys(mark.look for mark in over))
    return Piece(text[start:end], refs, looks)


def part(message: Message, source: str, links: Sequence[Link]) -> list[Piece]:
    """One part of a message, with evidence and deciding words marked."""
    texts = {
        "subject": message.subject,
        "new": message.new_text,
        "quote": message.quoted_text,
        "signature": message.signature,
    }
    return marked(texts[source], [*evidence_marks(links, source), *cue_marks(message, source)])
