"""Keeping to the request budget: a smooth stream of requests, a common pause when the gateway says 429."""

from __future__ import annotations

import logging
import threading
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Protocol, TypeVar

from target_infor_cloudsuite.ion.budget import Budget

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger(__name__)

T = TypeVar("T")


class BudgetStore(Protocol):
    """Where the budget is kept."""

    def change(self, step: Callable[[Budget, float], tuple[Budget, T]]) -> T:
        """Take one step of the budget, alone: it is handed the state and the present moment of its clock."""


class OwnBudget:
    """A budget of this process alone."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._state = Budget()

    def change(self, step: Callable[[Budget, float], tuple[Budget, T]]) -> T:
        """See `BudgetStore`."""
        with self._lock:
            self._state, answer = step(self._state, self._clock())
        return answer


class Pacer:
    """Lets requests pass just under `requests_per_minute`, and never a burst after idling; see `budget`.

    Args:
        requests_per_minute: what the gateway's policy grants.
        store: where the budget is kept: this process's own unless told, or one that several share.
        sleep: waits the seconds it is given.
        wall_clock: the time of day, UTC; needed for a Retry-After that is a date.
    """

    def __init__(
        self,
        requests_per_minute: int,
        *,
        store: BudgetStore | None = None,
        sleep: Callable[[float], None] = time.sleep,
        wall_clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        if requests_per_minute < 1:
            raise ValueError(f"requests_per_minute must be at least 1, not {requests_per_minute}")
        self._configured = requests_per_minute
        self._store: BudgetStore = store or OwnBudget()
        self._wall_clock = wall_clock
        self._pauses = 0
        self._struck = False
        self.sleep = sleep

    def acquire(self) -> None:
        """Wait until one more request may leave."""
        while True:
            pauses = self._pauses
            if (wait := self._store.change(self._take)) > 0:
                self.sleep(wait)
            if pauses == self._pauses:
                return
            # The gateway said 429 meanwhile: the place that was waited for lies within the pause.

    def _take(self, budget: Budget, now: float) -> tuple[Budget, float]:
        self._struck = budget.strikes > 0
        return budget.take(now, self._configured)

    def penalise(self, retry_after: str | None) -> float:
        """Pause everybody after a 429.

        Args:
            retry_after: the header as it came (seconds, an HTTP date) or None.

        Returns:
            The pause in seconds.
        """
        asked = self._asked_for(retry_after)

        def step(budget: Budget, now: float) -> tuple[Budget, tuple[float, float]]:
            changed, pause = budget.refused(now, asked, self._configured)
            return changed, (pause, changed.limit(self._configured))

        pause, limit = self._store.change(step)
        self._pauses += 1
        self._struck = True
        _log.info(
            "The gateway throttles (429): all requests pause for %.1f s, then go on at %.0f a minute.",
            pause,
            limit,
        )
        return pause

    def succeeded(self) -> None:
        """Note that the gateway let a request through: the next 429 starts with a short pause again."""
        if self._struck:  # nothing to forget otherwise, and no reason to ask the store
            self._store.change(lambda budget, now: (budget.accepted(now), None))

    def _asked_for(self, retry_after: str | None) -> float | None:
        text = (retry_after or "").strip()
        if text.isascii() and text.isdigit():
            return float(text[:9])
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return None
        if moment.tzinfo is None:  # "-0000" in the header
            moment = moment.replace(tzinfo=UTC)
        return max((moment - self._wall_clock()).total_seconds(), 0.0)
