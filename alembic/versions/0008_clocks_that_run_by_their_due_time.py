"""clocks that run, by their due time"""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None

RUNNING = sa.text("met_at IS NULL AND paused_at IS NULL")


def upgrade() -> None:
    op.create_index('ix_case_clocks_due_at', 'case_clocks', ['due_at'], sqlite_where=RUNNING, postgresql_where=RUNNING)


def downgrade() -> None:
    op.drop_index('ix_case_clocks_due_at', 'case_clocks')
