"""Keeps a few writes in the air, and tells the caller of each one before it starts and after it lands.

The order matters: the caller's record of an attempt must be durable before the first byte leaves, and an
answer must reach the caller even when something else fails meanwhile. So `before` and `after` run on the
caller's thread (a ledger session is not shared), and whatever ends the flight, what is in the air lands.
"""

from __future__ import annotations

import logging
from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import Future

    from target_infor_cloudsuite.ion.answers import Answer, Transaction

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Landed:
    """The answers to one batch, and what forbids to start another."""

    answers: list[Answer]
    fatal: Exception | None = None


@dataclass(slots=True, kw_only=True)
class Flight:
    """One run of batches.

    Args:
        ready: raises when nothing can be sent at present (no token).
        send: hands a batch to the pool.
        before: told the batch's index just before it is handed over.
        after: told the batch's index and its answers as soon as they are there.
        max_in_flight: batches in the air at once.
    """

    ready: Callable[[], object]
    send: Callable[[list[Transaction]], Future[Landed]]
    before: Callable[[int], object]
    after: Callable[[int, list[Answer]], object]
    max_in_flight: int
    _air: dict[Future[Landed], int] = field(default_factory=dict)
    _landed: dict[int, list[Answer]] = field(default_factory=dict)
    _fatal: Exception | None = None

    def fly(self, batches: Iterable[list[Transaction]]) -> list[list[Answer]]:
        """Send the batches. An empty one says that the next depends on an answer that is still under way.

        Returns:
            The answers of each batch, in the batches' order.

        Raises:
            IonError: nothing more can be sent; every batch that was started has been given to `after`.
            Exception: what `before`, `after` or the batches themselves raised, likewise.
        """
        try:
            self._start_all(batches)
            while self._air:
                self._land_some()
        except BaseException:
            self._land_rest()
            raise
        if self._fatal is not None:
            raise self._fatal
        return [self._landed[index] for index in sorted(self._landed)]

    def _start_all(self, batches: Iterable[list[Transaction]]) -> None:
        source = iter(batches)
        index = 0
        while True:
            while len(self._air) >= self.max_in_flight:
                self._land_some()
            # Pulled only when there is room: what makes the batches may depend on the answers so far.
            if self._fatal is not None or (batch := next(source, None)) is None:
                return
            if not batch:
                if not self._air:
                    raise ValueError("an empty batch, and no answer under way that could change that")
                self._land_some()
                continue
            self.ready()
            self.before(index)
            self._air[self.send(batch)] = index
            index += 1

    def _land_some(self) -> None:
        done, _ = wait(self._air, return_when=FIRST_COMPLETED)
        for future in sorted(done, key=self._air.__getitem__):
            self._land(future)

    def _land(self, future: Future[Landed]) -> None:
        index = self._air.pop(future)
        landed = future.result()
        self._fatal = self._fatal or landed.fatal
        self._landed[index] = landed.answers
        self.after(index, landed.answers)

    def _land_rest(self) -> None:
        for future in sorted(self._air, key=self._air.__getitem__):
            try:
                self._land(future)
            except Exception:  # noqa: BLE001 - the first failure is already on its way up
                _log.exception("An answer could not be handed over; its documents stay in doubt")
