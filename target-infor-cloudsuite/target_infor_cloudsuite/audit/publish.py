"""What every run and every decision ends with: the files caught up, and the second place told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_infor_cloudsuite.audit import files
from target_infor_cloudsuite.audit.anchor import Anchor

if TYPE_CHECKING:
    from datetime import datetime

    from target_infor_cloudsuite.ledger import Ledger
    from target_infor_cloudsuite.settings import Settings


def anchor_of(settings: Settings) -> Anchor | None:
    """The second place, where one is set."""
    url = str(settings["audit_anchor"] or "")
    return Anchor(url) if url else None


def publish(ledger: Ledger, settings: Settings, *, at: datetime) -> int:
    """Export what the audit files lack, and write the anchor; how many events were exported.

    Raises:
        AuditError: One of them cannot be written, or holds another ledger's past; no event is lost.
    """
    written = files.export(ledger, settings.output_dir)
    if (anchor := anchor_of(settings)) is not None:
        anchor.write(ledger, at=at)
    return written
