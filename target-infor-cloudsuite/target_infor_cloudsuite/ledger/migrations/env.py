# ruff: noqa: INP001 - alembic loads this file by its path
"""Alembic's entry: the ledger hands in its own open transaction."""

from __future__ import annotations

from alembic import context
from target_infor_cloudsuite.ledger.tables import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True
)
context.run_migrations()
