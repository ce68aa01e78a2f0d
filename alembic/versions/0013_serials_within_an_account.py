"""serials are looked up inside an account, and the year behind a number (87/26) is no serial"""

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

from matching.references import number_keys

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None

_BATCH = 5_000


def upgrade() -> None:
    op.drop_index("ix_invoices_ks", "invoices")
    for batch in _batches():
        op.get_bind().execute(sa.text("UPDATE invoices SET ks = :ks, k4 = :k4 WHERE id = :id"), batch)
    op.create_index("ix_invoices_ks_account", "invoices", ["ks", "account_id"])


def downgrade() -> None:
    op.drop_index("ix_invoices_ks_account", "invoices")
    op.create_index("ix_invoices_ks", "invoices", ["ks"])


def _batches() -> Iterator[list[dict[str, int | None]]]:
    """Changed keys, a portion at a time: the ids are walked, so that nothing is held open while rows change."""
    last = 0
    rows = sa.text("SELECT id, number, issued, ks, k4 FROM invoices WHERE id > :last ORDER BY id LIMIT :most")
    while found := op.get_bind().execute(rows, {"last": last, "most": _BATCH}).all():
        last = found[-1].id
        keys = ((row, number_keys(row.number, int(str(row.issued)[:4]))) for row in found)
        if batch := [{"id": row.id, "ks": key.ks, "k4": key.k4} for row, key in keys if (row.ks, row.k4) != key[2:]]:
            yield batch
