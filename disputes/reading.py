"""What is read of a mail, what is known beside it, and what is understood: the values the classifier works with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType

FLAGS = frozenset(
    {"payment_diversion", "legal_threat", "callback_requested", "delivery_block", "insolvency", "partial"}
)
"""What a message may be marked with beside its reason."""
SENTIMENTS = ("calm", "annoyed", "angry")
UPSETS = ("upset", "angry")
"""What the model tells of sentiment: whether it is annoyed at least, whether it is angry."""
LANGUAGES = ("de", "en", "es", "fr", "it", "nl")
"""The languages the product reads, writes and tells apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailText:
    """A mail as the classifier reads it.

    `new_text` is what the sender wrote now, `quoted_text` what stood in earlier mails, `signature` the signature and
    disclaimer. `headers` has lower-case names, each with all its values in order. `direction` is "in", "out" (the
    seller's own answer) or "internal" (a colleague). `is_auto_reply` and `is_bounce` say what the headers alone
    prove; wordings are judged here. `sent_at` is aware; the sender's own offset tells what "tomorrow" means.
    """

    subject: str
    new_text: str
    sent_at: datetime
    quoted_text: str = ""
    signature: str = ""
    attachment_names: tuple[str, ...] = ()
    from_email: str = ""
    from_name: str = ""
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    direction: str = "in"
    is_auto_reply: bool = False
    is_bounce: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFacts:
    """What the ledger and the case say beside the mail; whatever is unknown stays at its default.

    `earlier` holds the (kind, reason) of the thread's earlier customer mails, oldest first, `earlier_sure` how sure
    each of them is (all are where it is empty). `payment_fits` says whether money for an invoice of the mail had come
    by its date (None where it names none). `last_asked` is
    "satisfaction" where our last mail asked for a number and this one gives it.
    `sender_known` says whether the sender belongs to an account of the ledger (or is a colleague).
    `account_language` and `thread_language` are two-letter codes, "" where unknown.
    """

    earlier: tuple[tuple[str, str], ...] = ()
    earlier_sure: tuple[float, ...] = ()
    payment_fits: bool | None = None
    last_asked: str = ""
    sender_is_colleague: bool = False
    sender_known: bool | None = None
    account_language: str = ""
    thread_language: str = ""


NO_FACTS = CaseFacts()


@dataclass(frozen=True, slots=True)
class Span:
    """Words that told for the decision: where they stand and how much they weighed (more is stronger).

    `source` is "subject", "new" or "quote"; `start` and `end` count characters of that part of the MailText.
    """

    source: str
    start: int
    end: int
    text: str
    weight: float


@dataclass(frozen=True, slots=True)
class PromiseFound:
    """A customer's commitment to pay: by when, and how much (None where no amount or currency was written)."""

    date: date
    amount: Decimal | None
    currency: str
    span: Span


@dataclass(frozen=True, slots=True)
class Understanding:
    """What a mail was understood to say.

    `ranking` holds (reason, calibrated probability), most probable first, and sums to 1; `confidence` is that of
    `reason`. `decided_by` is "model" or "rule:NAME". `words` are the words that decided, strongest first.
    """

    kind: str
    reason: str
    ranking: tuple[tuple[str, float], ...]
    confidence: float
    sentiment: str
    urgent: bool
    language: str
    flags: frozenset[str]
    promise: PromiseFound | None
    model_version: str
    decided_by: str
    words: tuple[Span, ...]
