"""credit notes are found by the invoice they credit, among millions of documents that credit none"""

import sqlalchemy as sa
from alembic import op

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None


def upgrade() -> None:
    some = sa.text("credits IS NOT NULL")
    op.create_index("ix_invoices_credits", "invoices", ["credits", "entity_id"], sqlite_where=some, postgresql_where=some)


def downgrade() -> None:
    op.drop_index("ix_invoices_credits", "invoices")
