"""The only writers of the ledger: pushes and imports of ERP documents."""

from invoices.actions.outcomes import Changed, Outcome, changed
from invoices.actions.pushes import (
    BATCH,
    KEY_LENGTH,
    STATUSES,
    Answer,
    KeyReused,
    apply,
    apply_batch,
    batches,
    begin,
    counted,
    earlier_answer,
    finish,
)
from invoices.actions.rows import LedgerKeys

__all__ = [
    "BATCH",
    "KEY_LENGTH",
    "STATUSES",
    "Answer",
    "Changed",
    "KeyReused",
    "LedgerKeys",
    "Outcome",
    "apply",
    "apply_batch",
    "batches",
    "begin",
    "changed",
    "counted",
    "earlier_answer",
    "finish",
]
