# ruff: noqa: INP001 - alembic loads this file by its path
"""Claims are found by their worker, however many documents the ledger has."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this revision."""
    op.create_index("documents_claimed", "documents", ["claimed_by"])
