"""reasons of owners: who chose, and reasons that can be said in any language"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TO_REASONS = {
    "sqlite": "json_array(json_object('say', owner_reason))",
    "postgresql": "jsonb_build_array(jsonb_build_object('say', owner_reason))",
}
TO_WORDS = {
    "sqlite": "coalesce(substr((SELECT group_concat(json_extract(value, '$.say'), '; ') FROM json_each(owner_why)), 1, 300), '')",
    "postgresql": "coalesce(left((SELECT string_agg(one ->> 'say', '; ') FROM jsonb_array_elements(owner_why) one), 300), '')",
}


def upgrade() -> None:
    with op.batch_alter_table('cases', schema=None) as batch_op:
        batch_op.add_column(sa.Column('owner_by', sa.String(length=60), nullable=False, server_default="auto"))
        batch_op.add_column(sa.Column('owner_why', JSON, nullable=False, server_default="[]"))
    reasons = TO_REASONS[op.get_bind().dialect.name]
    op.execute(f"UPDATE cases SET owner_why = {reasons} WHERE owner_reason <> ''")
    op.execute("UPDATE cases SET owner_by = 'by hand' WHERE owner_reason LIKE 'chosen by %'")
    with op.batch_alter_table('cases', schema=None) as batch_op:
        batch_op.drop_column('owner_reason')


def downgrade() -> None:
    with op.batch_alter_table('cases', schema=None) as batch_op:
        batch_op.add_column(sa.Column('owner_reason', sa.String(length=300), nullable=False, server_default=""))
    words = TO_WORDS[op.get_bind().dialect.name]
    op.execute(f"UPDATE cases SET owner_reason = {words}")
    with op.batch_alter_table('cases', schema=None) as batch_op:
        batch_op.drop_column('owner_why')
        batch_op.drop_column('owner_by')
