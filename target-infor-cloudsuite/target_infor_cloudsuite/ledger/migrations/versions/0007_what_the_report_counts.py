# ruff: noqa: INP001 - alembic loads this file by its path
"""What the report counts and adds up stands in indexes: it reads no rows, however many there are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_INDEXES = {
    "documents_tally": ("kind", "company", "status", "currency", "cono", "divi", "settled", "amount"),
    "documents_received": ("kind", "received_at"),
    "documents_status_updated": ("status", "updated_at"),
    "documents_crosswalks": ("crosswalk_version", "updated_at"),
}


def upgrade() -> None:
    """Bring the tables to this revision."""
    for name, columns in _INDEXES.items():
        op.create_index(name, "documents", list(columns))
    noted = sa.text("notes <> '[]'")
    op.create_index("documents_noted", "documents", ["id"], sqlite_where=noted, postgresql_where=noted)
