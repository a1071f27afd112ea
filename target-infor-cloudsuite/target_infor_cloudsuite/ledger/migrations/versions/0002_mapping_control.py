# ruff: noqa: INP001 - alembic loads this file by its path
"""Versions of the mapping and who approved them, confirmed name matches, parts of documents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this revision."""
    op.create_table(
        "mapping_versions",
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("kept_at", sa.String(length=32), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.String(length=32), nullable=True),
        sa.Column("approved_by", sa.Text(), nullable=False),
        sa.Column("approved_at", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("version"),
    )
    op.create_table(
        "confirmations",
        sa.Column("cono", sa.Integer(), nullable=False),
        sa.Column("vendor_key", sa.Text(), nullable=False),
        sa.Column("supplier", sa.Text(), nullable=False),
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("confirmed_by", sa.Text(), nullable=False),
        sa.Column("confirmed_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("cono", "vendor_key"),
    )
    with op.batch_alter_table("documents", schema=None) as batch_op:
        batch_op.add_column(sa.Column("part_of", sa.Integer(), nullable=True))
        batch_op.create_foreign_key("documents_part_of_fk", "documents", ["part_of"], ["id"])
        batch_op.create_index("documents_part_of", ["part_of"], unique=False)
