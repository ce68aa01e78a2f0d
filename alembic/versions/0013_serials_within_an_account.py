"""serials are looked up inside an account: a small number is the serial of thousands of invoices"""

from alembic import op

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_invoices_ks", "invoices")
    op.create_index("ix_invoices_ks_account", "invoices", ["ks", "account_id"])


def downgrade() -> None:
    op.drop_index("ix_invoices_ks_account", "invoices")
    op.create_index("ix_invoices_ks", "invoices", ["ks"])
