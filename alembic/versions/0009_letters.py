"""letters, runs of them, print runs"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('letter_prints',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('entity_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('letters', sa.Integer(), nullable=False),
    sa.Column('pages', sa.Integer(), nullable=False),
    sa.Column('content_hash', sa.String(length=64), nullable=False),
    sa.Column('manifest_hash', sa.String(length=64), nullable=False),
    sa.Column('created_by', sa.String(length=80), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('handed_over_by', sa.String(length=80), nullable=True),
    sa.Column('handed_over_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['entity_id'], ['entities.id'], name=op.f('fk_letter_prints_entity_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_letter_prints'))
    )
    with op.batch_alter_table('letter_prints', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_letter_prints_entity_id'), ['entity_id'], unique=False)

    op.create_table('letter_runs',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('entity_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('cursor', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('looked_at', sa.Integer(), nullable=False),
    sa.Column('totals', sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
    sa.Column('created_by', sa.String(length=80), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['entity_id'], ['entities.id'], name=op.f('fk_letter_runs_entity_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_letter_runs'))
    )
    with op.batch_alter_table('letter_runs', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_letter_runs_entity_id'), ['entity_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_letter_runs_state'), ['state'], unique=False)

    op.create_table('letter_blocks',
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('reason', sa.String(length=300), nullable=False),
    sa.Column('until', sa.Date(), nullable=True),
    sa.Column('by', sa.String(length=80), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_letter_blocks_account_id')),
    sa.PrimaryKeyConstraint('account_id', name=op.f('pk_letter_blocks'))
    )
    op.create_table('letters',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('subject', sa.String(length=40), nullable=False),
    sa.Column('step', sa.String(length=60), nullable=False),
    sa.Column('cycle', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=30), nullable=False),
    sa.Column('language', sa.String(length=5), nullable=False),
    sa.Column('entity_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('case_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('run_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('print_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('outbox_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('channel', sa.String(length=12), nullable=False),
    sa.Column('email', sa.String(length=320), nullable=False),
    sa.Column('procedure', sa.String(length=80), nullable=False),
    sa.Column('policy_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('template_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('asked', sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
    sa.Column('totals', sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
    sa.Column('facts', sa.Text(), nullable=False),
    sa.Column('text', sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
    sa.Column('title', sa.String(length=600), nullable=False),
    sa.Column('content_hash', sa.String(length=64), nullable=True),
    sa.Column('pages', sa.Integer(), nullable=False),
    sa.Column('fault', sa.Text(), nullable=False),
    sa.Column('why', sa.Text(), nullable=False),
    sa.Column('approval', sa.String(length=8), nullable=False),
    sa.Column('drafted_by', sa.String(length=80), nullable=False),
    sa.Column('drafted_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('approved_by', sa.String(length=80), nullable=True),
    sa.Column('approved_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_letters_account_id')),
    sa.ForeignKeyConstraint(['case_id'], ['cases.id'], name=op.f('fk_letters_case_id')),
    sa.ForeignKeyConstraint(['entity_id'], ['entities.id'], name=op.f('fk_letters_entity_id')),
    sa.ForeignKeyConstraint(['outbox_id'], ['outbox.id'], name=op.f('fk_letters_outbox_id')),
    sa.ForeignKeyConstraint(['policy_id'], ['policies.id'], name=op.f('fk_letters_policy_id')),
    sa.ForeignKeyConstraint(['print_id'], ['letter_prints.id'], name=op.f('fk_letters_print_id')),
    sa.ForeignKeyConstraint(['run_id'], ['letter_runs.id'], name=op.f('fk_letters_run_id')),
    sa.ForeignKeyConstraint(['template_id'], ['policies.id'], name=op.f('fk_letters_template_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_letters')),
    sa.UniqueConstraint('subject', 'step', 'cycle', name=op.f('uq_letters_subject_step_cycle'))
    )
    with op.batch_alter_table('letters', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_letters_account_id_id'), ['account_id', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_letters_case_id'), ['case_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_letters_entity_id'), ['entity_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_letters_outbox_id'), ['outbox_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_letters_print_id'), ['print_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_letters_run_id'), ['run_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_letters_state_id'), ['state', 'id'], unique=False)

    op.create_table('letter_run_items',
    sa.Column('run_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('code', sa.String(length=20), nullable=False),
    sa.Column('why', sa.Text(), nullable=False),
    sa.Column('step', sa.String(length=60), nullable=False),
    sa.Column('kind', sa.String(length=30), nullable=False),
    sa.Column('channel', sa.String(length=12), nullable=False),
    sa.Column('totals', sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
    sa.Column('letter_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_letter_run_items_account_id')),
    sa.ForeignKeyConstraint(['letter_id'], ['letters.id'], name=op.f('fk_letter_run_items_letter_id')),
    sa.ForeignKeyConstraint(['run_id'], ['letter_runs.id'], name=op.f('fk_letter_run_items_run_id')),
    sa.PrimaryKeyConstraint('run_id', 'account_id', name=op.f('pk_letter_run_items'))
    )
    with op.batch_alter_table('letter_run_items', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_letter_run_items_run_id_state'), ['run_id', 'state'], unique=False)



def downgrade() -> None:
    with op.batch_alter_table('letter_run_items', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_letter_run_items_run_id_state'))

    op.drop_table('letter_run_items')
    with op.batch_alter_table('letters', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_letters_state_id'))
        batch_op.drop_index(batch_op.f('ix_letters_run_id'))
        batch_op.drop_index(batch_op.f('ix_letters_print_id'))
        batch_op.drop_index(batch_op.f('ix_letters_outbox_id'))
        batch_op.drop_index(batch_op.f('ix_letters_entity_id'))
        batch_op.drop_index(batch_op.f('ix_letters_case_id'))
        batch_op.drop_index(batch_op.f('ix_letters_account_id_id'))

    op.drop_table('letters')
    op.drop_table('letter_blocks')
    with op.batch_alter_table('letter_runs', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_letter_runs_state'))
        batch_op.drop_index(batch_op.f('ix_letter_runs_entity_id'))

    op.drop_table('letter_runs')
    with op.batch_alter_table('letter_prints', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_letter_prints_entity_id'))

    op.drop_table('letter_prints')
