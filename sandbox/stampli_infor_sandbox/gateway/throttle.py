"""The gateway's spike arrest: so many requests in any minute."""

from __future__ import annotations

import math
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_WINDOW_SECONDS = 60.0


@dataclass(slots=True)
class Throttle:
    """A sliding window; a refused request does not count.

    Args:
        per_minute: Requests allowed in a minute; 0 allows any number.
        clock: Monotonic seconds.
    """

    per_minute: int
    clock: Callable[[], float] = time.monotonic
    _taken: deque[float] = field(default_factory=deque)

    def take(self) -> int:
        """Take a place in the window.

        Returns:
            0, or the whole seconds to wait before the next place is free.
        """
        if not self.per_minute:
            return 0
        now = self.clock()
        while self._taken and self._taken[0] <= now - _WINDOW_SECONDS:
            self._taken.popleft()
        if len(self._taken) >= self.per_minute:
            return max(1, math.ceil(self._taken[0] + _WINDOW_SECONDS - now))
        self._taken.append(now)
        return 0
