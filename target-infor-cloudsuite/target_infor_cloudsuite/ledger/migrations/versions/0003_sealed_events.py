# ruff: noqa: INP001 - alembic loads this file by its path
"""Events under a key, how far each folder's audit files reach, what was purged, what was notified."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this revision."""
    op.add_column("events", sa.Column("key_id", sa.String(length=16), nullable=False, server_default=""))
    op.add_column("chain", sa.Column("key_id", sa.String(length=16), nullable=False, server_default=""))
    op.add_column("chain", sa.Column("purged_seq", sa.Integer(), nullable=False, server_default="0"))
    op.add_column(
        "chain", sa.Column("purged_hash", sa.String(length=64), nullable=False, server_default="0" * 64)
    )
    op.create_table(
        "exports",
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("folder"),
    )
    op.create_table(
        "notices",
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("noted_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("subject"),
    )
