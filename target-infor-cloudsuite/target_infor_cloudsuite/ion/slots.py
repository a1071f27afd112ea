"""Requests under way at once: reads and writes share the places, and a write goes before a waiting read."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Slots:
    """So many places; who is urgent need not queue behind who is not.

    What half stands in M3 is urgent: its lines go before the questions about what comes next.
    """

    def __init__(self, count: int) -> None:
        self._free = count
        self._urgent = 0
        self.waiting = 0
        self._changed = threading.Condition()

    @contextmanager
    def taken(self, *, urgent: bool) -> Iterator[None]:
        """Hold a place."""
        with self._changed:
            self.waiting += 1
            self._urgent += urgent
            self._changed.wait_for(lambda: self._free > 0 and (urgent or not self._urgent))
            self._urgent -= urgent
            self.waiting -= 1
            self._free -= 1
            # A read may wait for the last urgent one to have its place, not only for a place.
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify_all()
