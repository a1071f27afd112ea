"""Time, always UTC and always handed in, so that a test can own it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from time import sleep
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def _utc_now() -> datetime:
    return datetime.now(tz=UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """The present moment (aware, UTC) and a way to wait for a later one (seconds)."""

    now: Callable[[], datetime] = _utc_now
    sleep: Callable[[float], None] = sleep
