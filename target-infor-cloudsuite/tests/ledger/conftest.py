"""Ledgers on both databases; PostgreSQL is a cluster of the tests' own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from postgres import new_database, running_cluster
from target_infor_cloudsuite.ledger import Ledger
from target_infor_cloudsuite.ledger.documents import Hand

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    """The folder of the socket of a running PostgreSQL."""
    with running_cluster() as folder:
        yield folder


@pytest.fixture
def postgres_url(cluster: str) -> str:
    """A new, empty database."""
    return new_database(cluster)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a new ledger may be made, on each database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.db'}"
    found: str = request.getfixturevalue("postgres_url")
    return found


@pytest.fixture
def open_ledger() -> Iterator[Callable[[str], Ledger]]:
    """Open ledgers that are closed when the test ends."""
    opened: list[Ledger] = []

    def make(url: str) -> Ledger:
        ledger = Ledger(url)
        opened.append(ledger)
        ledger.open()
        return ledger

    yield make
    for ledger in opened:
        ledger.close()


@pytest.fixture
def ledger(url: str, open_ledger: Callable[[str], Ledger]) -> Ledger:
    """An empty ledger."""
    return open_ledger(url)


@pytest.fixture
def hand() -> Hand:
    return Hand(actor="tester", at=NOW, run_id="run1")
