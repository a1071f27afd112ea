"""Reconciliation: what the tap counted, what the ledger holds, what M3 shows; three counts, to the cent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_infor_cloudsuite.ledger import documents, reference
from target_infor_cloudsuite.reconciliation.books import Books
from target_infor_cloudsuite.reconciliation.findings import Reconciliation
from target_infor_cloudsuite.reconciliation.source import SourceCounts

if TYPE_CHECKING:
    from datetime import datetime

    from target_infor_cloudsuite.ion.gateway import Gateway
    from target_infor_cloudsuite.ledger import Ledger

__all__ = ["SCOPE", "Reconciliation", "reconcile"]

#: Where the ledger keeps the last result, for the report.
SCOPE = "reconciliation"
_PAGE = 1000


def reconcile(
    ledger: Ledger, gateway: Gateway, *, at: datetime, since: datetime | None = None
) -> Reconciliation:
    """Compare the three counts. Changes no document; the result is kept in the ledger under `SCOPE`.

    Args:
        ledger: The ledger.
        gateway: To M3, which is only read.
        at: The present moment.
        since: Only what was received from this moment on; without it everything.

    Raises:
        IonError: M3 cannot be reached or turns us away; nothing was compared then.
    """
    books, after = Books(), 0
    with ledger.read() as tx:
        source = SourceCounts(reference.counted_files(tx, since=since), since=since)
        while page := documents.find(tx, kinds=("invoice", "payment"), after=after, limit=_PAGE):
            after = page[-1].id
            for document in page:
                source.take(document)
                if since is None or document.received_at >= since:
                    books.take(document)
    differences = source.differences() + books.compare(gateway)
    found = Reconciliation(
        at=at, since=since, source=source.totals(), ledger=books.totals(), differences=tuple(differences)
    )
    with ledger.write() as tx:
        reference.keep(tx, SCOPE, found.to_json(), read_at=at)
    return found
