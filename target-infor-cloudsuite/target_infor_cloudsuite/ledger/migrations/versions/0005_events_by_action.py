# ruff: noqa: INP001 - alembic loads this file by its path
"""Events found by what they tell: the report asks for the few of one kind among very many."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this revision."""
    op.create_index("events_action", "events", ["action"], unique=False)
