"""What the gateway was asked: every request in order, and counts that outlive the process."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stampli_infor_sandbox.m3.database import unit_of_work

if TYPE_CHECKING:
    import sqlite3

_KEPT = 50_000


@dataclass(slots=True)
class RequestLog:
    """Requests in memory, counts in the database, written before the request is answered."""

    connection: sqlite3.Connection
    entries: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=_KEPT))
    _number: int = 0

    def open(self, **entry: Any) -> dict[str, Any]:
        """Note a request as it arrives; the returned entry is filled in later."""
        self._number += 1
        noted = {"n": self._number, **entry}
        self.entries.append(noted)
        return noted

    def count(self, *names: str) -> None:
        """Add one to each named count."""
        with unit_of_work(self.connection):
            for name, n in Counter(names).items():
                self.connection.execute(
                    "INSERT INTO request_count VALUES (?, ?)"
                    " ON CONFLICT (name) DO UPDATE SET n = n + excluded.n",
                    (name, n),
                )
