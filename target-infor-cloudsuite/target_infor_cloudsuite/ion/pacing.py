"""The request budget: a smooth stream of requests, and a common pause when the gateway says 429."""

from __future__ import annotations

import logging
import math
import threading
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, cast

from pyrate_limiter import Duration, InMemoryBucket, Rate, RateItem

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger(__name__)

_FIRST_PAUSE_SECONDS = 2.0
_LONGEST_GUESS_SECONDS = 60.0  # the tenant's policies count by the minute
_LONGEST_PAUSE_SECONDS = 300.0  # a Retry-After beyond this is a mistake; asking again costs one request
_SHORTEST_PAUSE_SECONDS = 1.0
_SECONDS_A_MINUTE = 60


class Pacer:
    """Lets at most `requests_per_minute` requests pass in any minute, and never a burst after idling.

    Beside the minute's budget there is a second's (the minute's sixtieth, rounded up), because a gateway with
    spike arrest rejects a burst that the minute as a whole could bear.

    Args:
        requests_per_minute: the budget of this process.
        clock: monotonic seconds.
        sleep: waits the seconds it is given.
        wall_clock: the time of day, UTC; needed for a Retry-After that is a date.
    """

    def __init__(
        self,
        requests_per_minute: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        wall_clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        if requests_per_minute < 1:
            raise ValueError(f"requests_per_minute must be at least 1, not {requests_per_minute}")
        self._bucket = InMemoryBucket(_rates(requests_per_minute))
        self._clock = clock
        self._wall_clock = wall_clock
        self._lock = threading.Lock()
        self._paused_until = -math.inf
        self._strikes = 0
        self.sleep = sleep

    def acquire(self) -> None:
        """Wait until one more request may leave."""
        while (seconds := self._claim()) > 0:
            self.sleep(seconds)

    def penalise(self, retry_after: str | None) -> float:
        """Pause everybody after a 429.

        Args:
            retry_after: the header as it came (seconds, an HTTP date) or None.

        Returns:
            The pause in seconds.
        """
        with self._lock:
            now = self._clock()
            # Requests that were in flight together are rejected together: that is one strike, not several.
            if now >= self._paused_until:
                self._strikes += 1
            asked = self._asked_for(retry_after)
            floor = min(_FIRST_PAUSE_SECONDS * float(2 ** (self._strikes - 1)), _LONGEST_GUESS_SECONDS)
            if asked is None:
                pause = floor
            elif self._strikes <= 1:
                pause = max(asked, _SHORTEST_PAUSE_SECONDS)
            else:  # the gateway's own word was kept and was not enough
                pause = max(asked, floor)
            pause = min(pause, _LONGEST_PAUSE_SECONDS)
            self._paused_until = max(self._paused_until, now + pause)
        _log.info("The gateway throttles (429): all requests pause for %.1f s", pause)
        return pause

    def succeeded(self) -> None:
        """Note that the gateway let a request through: the next 429 starts with a short pause again."""
        with self._lock:
            if self._clock() >= self._paused_until:
                self._strikes = 0

    def _claim(self) -> float:
        """Take a place in the budget; returns 0 when taken, else the seconds to wait before the next try."""
        with self._lock:
            now = self._clock()
            if now < self._paused_until:
                return self._paused_until - now
            item = RateItem("request", int(now * 1000))
            self._bucket.leak(item.timestamp)
            if self._bucket.put(item):
                return 0.0
            # One millisecond at least: the bucket counts whole milliseconds, the clock may stand between two.
            return max(cast("int", self._bucket.waiting(item)), 1) / 1000

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


def _rates(requests_per_minute: int) -> list[Rate]:
    a_second = math.ceil(requests_per_minute / _SECONDS_A_MINUTE)
    rates = [Rate(requests_per_minute, Duration.MINUTE)]
    if a_second < requests_per_minute:
        rates.insert(0, Rate(a_second, Duration.SECOND))
    return rates
