"""A candidate invoice of a mail: its mentions, its features, and the kind of evidence it rests on."""

from dataclasses import dataclass, field

from matching.facts import InvoiceFacts
from matching.hits import Hit, Known

NUMBER_KINDS = frozenset({"full", "compact", "serial", "grown", "range", "short", "tail4", "tail3", "tiny", "typo"})
REFERENCE_KINDS = frozenset({"po", "order", "delivery", "payment"})
NAMES = (NUMBER_KINDS | REFERENCE_KINDS) - {"tail3", "tiny"}
"""What names an invoice: a number however it is written, or another reference of its."""


@dataclass(slots=True)
class Candidate:
    """One invoice on trial: its mentions, its features, and the mention it competes for with others."""

    invoice: InvoiceFacts
    known: Known
    hits: list[Hit] = field(default_factory=list)
    features: dict[str, float] = field(default_factory=dict)
    group: str = "pool"

    @property
    def regime(self) -> str:
        """
        The kind of evidence, each calibrated on its own: named "alone", "listed" or beside "several", by its "sum" or
        as the "only_sum", "carried" along by thread, quote or file, or of the account's "pool".
        """
        if not NAMES.isdisjoint(self.features):
            return "listed" if "listed" in self.features else "alone" if "only_named" in self.features else "several"
        if self.group == "pool":
            return "pool"
        if self.group.startswith(("carried", "quote", "attachment")):
            return "carried"
        return "only_sum" if "only_named" in self.features else "sum"
