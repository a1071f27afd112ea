"""How many transactions share a request: bounded by number and bytes, fewer after a timeout."""

from __future__ import annotations

import json
import threading
from collections import deque
from typing import TYPE_CHECKING, TypeVar

from target_infor_cloudsuite.ion.answers import Transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

T = TypeVar("T")

_ENVELOPE_BYTES = 200  # program, company and switches around the transactions


def transaction_bytes(item: object) -> int:
    """The bytes that a transaction takes in a bulk request."""
    if not isinstance(item, Transaction):
        raise TypeError(f"items of type {type(item).__name__} need their own cost function")
    return len(json.dumps(item.as_json(), ensure_ascii=False).encode()) + 2


class BatchSize:
    """The number of transactions that a request may carry now.

    Halved when a request of that size times out, doubled again by each full one that comes through.
    """

    def __init__(self, most: int) -> None:
        if most < 1:
            raise ValueError(f"max_transactions must be at least 1, not {most}")
        self._most = most
        self._now = most
        self._lock = threading.Lock()

    @property
    def now(self) -> int:
        """The present number."""
        return self._now

    def timed_out(self, size: int) -> None:
        """A request with `size` transactions took too long."""
        with self._lock:
            self._now = max(min(self._now, size // 2), 1)

    def came_through(self, size: int) -> None:
        """A request with `size` transactions was answered in time."""
        with self._lock:
            if size >= self._now:
                self._now = min(self._now * 2, self._most)


def take(
    queues: Sequence[deque[T]], *, size: BatchSize, max_bytes: int, cost: Callable[[T], int]
) -> tuple[list[T], bool]:
    """Take one batch from the front of queues, from the first of them as long as it has anything.

    An item that is too large for any batch travels alone.

    Returns:
        The batch, and whether it is full: nothing more would have fitted.
    """
    batch: list[T] = []
    filled = _ENVELOPE_BYTES
    for queue in queues:
        while queue:
            price = cost(queue[0])
            if batch and (len(batch) >= size.now or filled + price > max_bytes):
                return batch, True
            batch.append(queue.popleft())
            filled += price
    return batch, len(batch) >= size.now


def split(
    items: Iterable[T], *, size: BatchSize, max_bytes: int, cost: Callable[[T], int]
) -> Iterator[list[T]]:
    """Split lazily, keeping order; an item that is too large for any batch travels alone."""
    queue = deque(items)
    while queue:
        yield take([queue], size=size, max_bytes=max_bytes, cost=cost)[0]
