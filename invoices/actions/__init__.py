"""The only writers of the ledger: pushes and imports of ERP documents."""

from invoices.actions.outcomes import Changed, Outcome, changed
from invoices.actions.pushes import (
    BATCH,
    KEY_LENGTH,
    STATUSES,
    Answer,
    KeyReused,
    apply,
    batches,
    begin,
    counted,
    earlier_answer,
    finish,
    write_batch,
)
from invoices.actions.rows import LedgerKeys, Row, prepare

__all__ = [
    "BATCH",
    "KEY_LENGTH",
    "STATUSES",
    "Answer",
    "Changed",
    "KeyReused",
    "LedgerKeys",
    "Outcome",
    "Row",
    "apply",
    "batches",
    "begin",
    "changed",
    "counted",
    "earlier_answer",
    "finish",
    "prepare",
    "write_batch",
]
