# ruff: noqa: INP001 - alembic loads this file by its path
"""A confirmed match by name knows the document that it was confirmed on, by which it can be taken back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# An event does not name the confirmation; who and when do, unless one command confirmed several.
_KNOWN = """
    UPDATE confirmations SET document_id = (
        SELECT CASE WHEN count(*) = 1 THEN max(events.document_id) END FROM events
        WHERE events.action = 'mapping.confirmed'
        AND events.at = confirmed_at AND events.actor = confirmed_by)
"""


def upgrade() -> None:
    """Bring the tables to this revision."""
    op.add_column("confirmations", sa.Column("document_id", sa.Integer()))
    op.execute(_KNOWN)
