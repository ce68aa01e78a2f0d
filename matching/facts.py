"""What goes into a match and what comes out: plain frozen values, and the look-up the caller provides."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, NamedTuple, Protocol

Direction = Literal["in", "out", "internal"]
LinkState = Literal["auto", "propose"]


@dataclass(frozen=True, slots=True)
class AttachmentText:
    """An attachment by its file name and the text that could be read from it ('' where none)."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class MailFacts:
    """
    One message as the matcher reads it.

    `entity_ids` are the seller entities whose mailbox received it (empty = any); `forwarded_from` the addresses
    of inner senders, shown but never trusted as identity (mail.md M13); `to_emails` the recipients, which tell the
    account where we or a colleague wrote it.
    """

    subject: str
    new_text: str
    quoted_text: str
    signature: str
    attachments: tuple[AttachmentText, ...]
    from_email: str
    from_name: str
    entity_ids: tuple[int, ...]
    sent_at: datetime
    direction: Direction
    forwarded_from: tuple[str, ...] = ()
    to_emails: tuple[str, ...] = ()


class LineFacts(NamedTuple):
    """One line of an invoice."""

    sku: str | None
    text: str
    quantity: Decimal | None = None
    unit_price: Decimal | None = None


class InvoiceFacts(NamedTuple):
    """An invoice or credit note as the ledger knows it; `gross` and `open` are in `currency`, `credits` is the number
    of the invoice a credit note takes back.
    """

    id: int
    number: str
    entity_id: int
    account_id: int
    kind: str
    issued: date
    due: date | None
    currency: str
    gross: Decimal
    open: Decimal
    net: Decimal | None = None
    po: str | None = None
    order: str | None = None
    delivery: str | None = None
    credits: str | None = None
    lines: tuple[LineFacts, ...] = ()

    def __hash__(self) -> int:
        """By its id alone: a hundred are hashed for each mail, and those that are equal have the same."""
        return self.id


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """A customer account with what identifies it. Addresses are lower case, phones are `phone_key` values."""

    id: int
    number: str
    entity_id: int
    name: str
    emails: frozenset[str] = frozenset()
    contact_names: tuple[str, ...] = ()
    phones: frozenset[str] = frozenset()
    vats: frozenset[str] = frozenset()
    ibans: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class PaymentFacts:
    """A payment and the invoices it was put against."""

    reference: str
    account_id: int
    amount: Decimal
    invoice_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Discussed:
    """An earlier message of an account that was linked to an invoice: what a chaser without a reference is about."""

    invoice_id: int
    sent_at: datetime
    from_email: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class ThreadFacts:
    """What the thread the headers point to is already linked to; `replied_to` those of the very message answered."""

    invoice_ids: tuple[int, ...] = ()
    account_id: int | None = None
    replied_to: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class AccountQuery:
    """Everything in a mail that may name an account; the look-up answers each key on its own, with a cap per key."""

    entity_ids: tuple[int, ...] = ()
    ids: tuple[int, ...] = ()
    emails: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    vats: tuple[str, ...] = ()
    ibans: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    name_tokens: tuple[str, ...] = ()
    cap: int = 8


@dataclass(frozen=True, slots=True)
class InvoiceQuery:
    """
    Keys of invoices: `ids`, `kd`, `kc`, `po`, `order`, `delivery` are looked up anywhere within the entities
    (no entities = everywhere); `ks`, `k4` and `amounts` (gross or open) only within `account_ids`.
    Each key is answered on its own with at most `cap` rows, never all under one shared limit.
    """

    entity_ids: tuple[int, ...] = ()
    account_ids: tuple[int, ...] = ()
    ids: tuple[int, ...] = ()
    kd: tuple[int, ...] = ()
    kc: tuple[int, ...] = ()
    ks: tuple[int, ...] = ()
    k4: tuple[int, ...] = ()
    po: tuple[int, ...] = ()
    order: tuple[int, ...] = ()
    delivery: tuple[int, ...] = ()
    amounts: tuple[Decimal, ...] = ()
    cap: int = 20


class LedgerIndex(Protocol):
    """The candidate look-up: one SQL implementation (disputes/candidates.py) and `matching.memory.MemoryIndex`."""

    def accounts(self, query: AccountQuery) -> Sequence[AccountFacts]:
        """Accounts any key of the query names, each once."""
        ...

    def invoices(self, query: InvoiceQuery) -> Sequence[InvoiceFacts]:
        """Invoices any key of the query names, each once, lines included."""
        ...

    def pool(self, account_id: int, *, until: date, limit: int) -> Sequence[InvoiceFacts]:
        """An account's invoices issued by `until`: the `limit` latest due of those open, and of all."""
        ...

    def payments(self, references: Sequence[int], *, entity_ids: tuple[int, ...]) -> Sequence[PaymentFacts]:
        """Payments whose reference has one of these `digits_key`s."""
        ...

    def discussed(self, account_id: int, *, before: datetime, limit: int) -> Sequence[Discussed]:
        """The account's newest messages before a time and the invoices they were linked to, newest first."""
        ...


@dataclass(frozen=True, slots=True)
class Evidence:
    """
    One reason for a link.

    `what` is the code of a feature (those of weights.json), `source` is subject, new, quote, signature,
    attachment:N, sender, thread or ledger, `start`..`end` the span in that source's text, `bits` the weight of
    evidence (log2 of the odds).
    """

    what: str
    source: str
    start: int
    end: int
    text: str
    bits: float
    detail: str = ""


@dataclass(frozen=True, slots=True)
class AccountChoice:
    """The account a mail is about, with its probability."""

    id: int
    probability: float
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class LinkDecision:
    """
    One invoice a mail may mean. `runner_up` is the probability of the strongest rival of the same mention,
    `margin` the lead over it. `best_guess`: likelier than any rival and than that none of them is meant. `unnamed`:
    nothing in the mail, its thread or its files points to it, only what the account owes.
    """

    invoice_id: int
    probability: float
    state: LinkState
    evidence: tuple[Evidence, ...]
    runner_up: float = 0.0
    margin: float = 1.0
    best_guess: bool = False
    unnamed: bool = False


@dataclass(frozen=True, slots=True)
class Reference:
    """A string of the mail that may name a document."""

    kind: str
    text: str
    source: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class MatchPolicy:
    """
    When to link and when to ask. `auto` = 1 - cost of a review / cost of a wrong link; a rival with at least `rival`
    stops an automatic link; `likely` is where a proposal counts as the best guess; at most `proposals` are shown.
    """

    auto: float = 0.965
    rival: float = 0.25
    guess: float = 0.2
    shown: float = 0.05
    proposals: int = 5
    account: float = 0.5
    auto_account: float = 0.9


@dataclass(frozen=True, slots=True)
class MatchDecision:
    """What the matcher decided about one mail; nothing is written by deciding."""

    account: AccountChoice | None
    links: tuple[LinkDecision, ...]
    review: bool
    references: tuple[Reference, ...]
    policy: MatchPolicy

    @property
    def likely(self) -> tuple[LinkDecision, ...]:
        """The links to act on: the automatic ones and the proposals that are a better guess than none."""
        return tuple(link for link in self.links if link.state == "auto" or link.best_guess)
