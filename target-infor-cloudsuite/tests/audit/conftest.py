"""A ledger with a history of three days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from target_infor_cloudsuite.ledger import Ledger, events

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BEGIN = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    made.open()
    yield made
    made.close()


@pytest.fixture
def happen(ledger: Ledger) -> Callable[..., None]:
    """Let so many events happen, from so many hours after the beginning on, six hours apart."""

    def make(how_many: int, *, hours: float = 0.0, into: Ledger | None = None) -> None:
        with (into or ledger).write() as tx:
            for number in range(how_many):
                events.record(
                    tx,
                    "m3.write",
                    at=BEGIN + timedelta(hours=hours + 6 * number),
                    actor="target",
                    run_id="r1",
                    document_id=None,
                    details={"text": f"größer {number}", "amount": Decimal("1.50"), "list": [1, None, True]},
                )

    return make
