"""Whether the page that people find still says what is the case."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from target_infor_cloudsuite.ledger import events, reference

if TYPE_CHECKING:
    from pathlib import Path

    from target_infor_cloudsuite.ledger import Tx

#: A page is made anew when it is older: what waits has waited longer.
AT_LEAST_EVERY: Final = timedelta(hours=1)
#: An event gets its time before it is committed; another worker's may have come while the page was made.
_COMMITTED_WITHIN: Final = timedelta(minutes=1)
_OF_A_RUN: Final = ("run.began", "run.ended")


def still_stands(tx: Tx, page: Path, *, now: datetime) -> bool:
    """Whether the page is there, is young, and nothing happened since but runs that found nothing new.

    Args:
        tx: A transaction.
        page: The HTML file; the time of its last change is the moment that it tells of.
        now: The present moment, aware.
    """
    try:
        made_at = datetime.fromtimestamp(page.stat().st_mtime, UTC)
    except OSError:
        return False
    if not timedelta() <= now - made_at < AT_LEAST_EVERY:
        return False
    # What M3 was asked for (reference data, a reconciliation) makes no event.
    changed = (events.last_but(tx, _OF_A_RUN), reference.last_kept(tx))
    return all(each is None or each < made_at - _COMMITTED_WITHIN for each in changed)
