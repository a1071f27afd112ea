"""The proof that nobody touched the record: the chain in itself, its files, its anchors, its documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_infor_cloudsuite.audit.chain import Chain
from target_infor_cloudsuite.audit.files import AuditError, files_of, place_of, standing_still
from target_infor_cloudsuite.audit.lines import Lines
from target_infor_cloudsuite.ledger import documents, events, retention
from target_infor_cloudsuite.ledger.states import Status

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from target_infor_cloudsuite.audit.anchor import Anchor
    from target_infor_cloudsuite.ledger import Ledger, Tx
    from target_infor_cloudsuite.ledger.events import Event

_ABOUT_DOCUMENTS = {f"document.{status}": status.value for status in Status}


def verify(ledger: Ledger, output_dir: Path, *, anchor: Anchor | None = None) -> list[str]:
    """Compare ledger, files and anchors, event by event; what is wrong, in words. An empty list: nothing is.

    Finds events that were changed, removed, inserted, reordered or cut off. A run may go on meanwhile: what
    it writes from now on is not looked at, and what it has not exported yet is not missing.

    Raises:
        AuditError: A file or the anchor cannot be read.
    """
    anchors = anchor.written() if anchor is not None else set()
    try:
        with ledger.read() as tx:
            with standing_still(output_dir):
                end = events.end_of_chain(tx)  # from here on the ledger is seen as it is now
                reached = retention.exported_up_to(tx, place_of(output_dir))
                sizes = {path: path.stat().st_size for path in files_of(output_dir)}
            chain = Chain(end, events.audit_keys(tx), anchors, anchored=anchor is not None)
            files, told = Lines(sizes, reached=reached), _Told()
            for row in events.stored(tx):
                chain.check(row)
                if row.event is not None:
                    files.check(row.event)
                    told.take(row.event)
            return [*chain.problems(), *files.problems(), *told.problems(tx)]
    except OSError as fault:
        raise AuditError(
            f"The audit files cannot be read: {fault}. Give this account the right to."
        ) from fault


class _Told:
    """Which status the events say each document has; somebody may have changed it in the ledger alone."""

    def __init__(self) -> None:
        self._status: dict[int, str] = {}

    def take(self, event: Event) -> None:
        if event.document_id is not None and (status := _ABOUT_DOCUMENTS.get(event.action)):
            self._status[event.document_id] = status

    def problems(self, tx: Tx) -> Iterator[str]:
        """Documents whose status, or whose being there, is not what the events say."""
        for document_id, status in documents.statuses(tx):
            told = self._status.pop(document_id, None)
            if told is not None and told != status:
                yield f"Ledger: document {document_id} is {status}, but its events end with {told}."
        for document_id in sorted(self._status):
            yield f"Ledger: document {document_id} is gone, but its events are there."
