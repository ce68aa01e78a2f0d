"""Kinds and reasons of a message or case, with the codes other systems know them by and the team that settles them.

Sources: the clarification codes are Peppol BIS Invoice Response 3 (T111), code list OPStatusReason; the CDAR codes
are the reasons of statuses 207 (in dispute) and 208 (suspended) of AFNOR XP Z12-012. The teams are shipped defaults:
a deployment may route otherwise and may add reasons of its own beside these.
"""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from types import MappingProxyType

N_ = str  # marks a msgid for babel's extraction (N_ is one of its default keywords); translated where it is shown

DISPUTE = "dispute"
QUERY = "query"
OTHER = "other"
KINDS: Mapping[str, str] = MappingProxyType({DISPUTE: N_("Dispute"), QUERY: N_("Query"), OTHER: N_("Other")})
"""Kind -> English label."""

CASE_OWNER = "case_owner"
"""In place of a team: whoever owns the case the message joins (a chaser goes to the one being chased)."""
NOBODY = "nobody"
"""In place of a team: nothing to do, so no owner and no task."""
TEAMS: Mapping[str, str] = MappingProxyType(
    {
        "billing": N_("Billing"),
        "cash": N_("Cash application"),
        "collections": N_("Collections"),
        "logistics": N_("Logistics"),
        "pricing": N_("Pricing"),
        "quality": N_("Quality"),
        "sales": N_("Sales"),
        "tax": N_("Tax"),
    }
)
"""Team -> English label. The teams the shipped reasons route to."""

PROMISE = "promise_to_pay"
"""The reason of a message that commits to pay and says nothing else."""
THANKS = "acknowledgement"
"""The reason of a message that only says it was read, or thanks: nothing is owed for it."""
NO_MATTER = frozenset({THANKS, "status"})
"""Reasons of a message that never change what its case is about (classification.md)."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason: its kind, codes for Peppol and CDAR ("" and () where neither has one), team, English label."""

    name: str
    kind: str
    peppol: str
    cdar: tuple[str, ...]
    team: str
    label: str


_ROWS = (
    Reason("price", DISPUTE, "PRI", ("PU_ERR", "REM_ERR"), "pricing", N_("Price")),
    Reason("quantity", DISPUTE, "QTY", ("QTE_ERR",), "logistics", N_("Quantity")),
    Reason("quality", DISPUTE, "QUA", ("QUALITE_ERR",), "quality", N_("Quality")),
    Reason("delivery", DISPUTE, "DEL", ("LIVR_INCOMP",), "logistics", N_("Delivery")),
    Reason("wrong_item", DISPUTE, "ITM", ("ART_ERR",), "logistics", N_("Wrong item")),
    Reason("duplicate_invoice", DISPUTE, "OTH", ("DOUBLON", "DOUBLE_FACT"), "billing", N_("Duplicate invoice")),
    # PPD is sent with status PD only (its published rule R005 cannot fail; the intent is kept where codes are sent)
    Reason("already_paid", DISPUTE, "PPD", ("AUTRE",), "cash", N_("Already paid")),
    Reason(
        "missing_reference",
        DISPUTE,
        "REF",
        ("CMD_ERR", "REF_ERR", "REF_CT_ABSENT", "CODE_ROUTAGE_ERR"),
        "billing",
        N_("Missing reference"),
    ),
    Reason("wrong_recipient", DISPUTE, "REC", ("DEST_ERR", "DEST_INC", "ADR_ERR"), "billing", N_("Wrong recipient")),
    Reason("tax", DISPUTE, "LEG", ("TX_TVA_ERR", "NON_CONFORME", "SIRET_ERR"), "tax", N_("Tax or legal mention")),
    Reason("payment_terms", DISPUTE, "PAY", ("MODPAI_ERR",), "sales", N_("Payment terms")),
    Reason("not_ordered", DISPUTE, "UNR", ("TRANSAC_INC", "EMMET_INC", "CONTRAT_TERM"), "sales", N_("Not ordered")),
    Reason("missing_credit", DISPUTE, "FIN", ("AUTRE",), "billing", N_("Missing credit")),
    Reason("charges", DISPUTE, "FIN", ("AUTRE",), "collections", N_("Charges")),
    Reason("other_dispute", DISPUTE, "OTH", ("AUTRE",), "collections", N_("Other dispute")),
    Reason("copy_invoice", QUERY, "OTH", ("JUSTIF_ABS",), "collections", N_("Copy of invoice")),
    Reason("statement", QUERY, "OTH", ("JUSTIF_ABS",), "collections", N_("Statement")),
    Reason("proof_of_delivery", QUERY, "OTH", ("JUSTIF_ABS",), "collections", N_("Proof of delivery")),
    Reason("bank_details", QUERY, "FIN", ("COORD_BANC_ERR",), "cash", N_("Bank details")),
    Reason("remittance", QUERY, "", (), "cash", N_("Payment advice")),
    Reason(PROMISE, QUERY, "", (), "collections", N_("Promise to pay")),
    Reason("payment_plan", QUERY, "", (), "collections", N_("Payment plan")),
    Reason("account_update", QUERY, "", (), "billing", N_("Account update")),
    Reason("status", QUERY, "", (), CASE_OWNER, N_("Status")),
    Reason(THANKS, QUERY, "", (), NOBODY, N_("Acknowledgement")),
    Reason("other_query", QUERY, "", (), "collections", N_("Other query")),
    Reason("auto_reply", OTHER, "", (), NOBODY, N_("Automatic reply")),
    Reason("bounce", OTHER, "", (), NOBODY, N_("Undeliverable")),
    Reason("spam", OTHER, "", (), NOBODY, N_("Spam")),
    Reason("not_ar", OTHER, "", (), NOBODY, N_("Not for receivables")),
)

REASONS: Mapping[str, Reason] = MappingProxyType({row.name: row for row in _ROWS})
"""Name -> reason, in the order people are shown them."""


MARK = "."
"""Between a shipped reason and the name a deployment gives a special form of it: "price.promotion". The name carries
what it specialises, so that whatever is decided by reason (kind, clocks, letters, texts) needs no table for it."""
LONGEST_OWN = 20
"""Characters of a deployment's own name: "missing_reference.", the longest before it, and that fill the column."""
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz")
_SIGNS = _LETTERS | frozenset("0123456789_")
SPECIALISED = tuple(row.name for row in _ROWS if row.kind != OTHER and row.name not in {*NO_MATTER, PROMISE})
"""The shipped reasons a deployment may have special forms of: those that are a matter to be settled."""


def shipped(reason: str) -> str:
    """The shipped reason this one is, or is a special form of; a name of neither kind stays as it is."""
    if reason in REASONS:
        return reason
    parent, mark, own = reason.partition(MARK)
    return parent if mark and parent in SPECIALISED and is_own_name(own) else reason


def is_own_name(name: str) -> bool:
    """Whether a deployment's own part of a name is well formed: a small letter, then small letters, digits and _."""
    return 0 < len(name) <= LONGEST_OWN and name[0] in _LETTERS and _SIGNS.issuperset(name)


def is_reason(name: str) -> bool:
    """Whether a name is that of a shipped reason, or could be that of a special form of one."""
    return shipped(name) in REASONS


def by_shipped(chances: Mapping[str, float]) -> dict[str, float]:
    """Chances of reasons with those of special forms counted to what they are forms of."""
    found: dict[str, float] = {}
    for reason, chance in chances.items():
        parent = shipped(reason)
        found[parent] = found.get(parent, 0.0) + chance
    return found


def is_one_of(reason: str, wanted: Container[str]) -> bool:
    """Whether a rule that names reasons means this one: itself, or the shipped one it is a special form of."""
    return reason in wanted or shipped(reason) in wanted


def shipped_row(reason: str) -> Reason:
    """The shipped row that speaks for a reason; KeyError for an unknown reason."""
    return REASONS[shipped(reason)]


def kind_of(reason: str) -> str:
    """The kind a reason belongs to; KeyError for an unknown reason."""
    return shipped_row(reason).kind


def team_of(reason: str) -> str:
    """The default owner team of a reason, or CASE_OWNER or NOBODY; KeyError for an unknown reason.

    A deployment may give a reason of its own another team (own_reasons.py).
    """
    return shipped_row(reason).team


def reasons_of(kind: str) -> tuple[Reason, ...]:
    """The shipped reasons of one kind, in the order people are shown them; empty for an unknown kind."""
    return tuple(row for row in _ROWS if row.kind == kind)


def opens_case(reason: str) -> bool:
    """Whether a message with this reason may open a case: machines' mail, spam and mail for others never do."""
    return kind_of(reason) != OTHER
