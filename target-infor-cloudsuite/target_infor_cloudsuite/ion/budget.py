"""The request budget as plain numbers: when the next request may leave, and what a 429 teaches.

Requests leave evenly spaced, a little slower than the limit, so that any minute's window at the gateway has
room for all of them; what was missed is caught up for one second at most, so idling saves up no burst.

The tenant's real limit may be lower than the settings say, or others may use it too. A 429 tells: what went
through in the minute before it is what the tenant grants. The budget then stays just under that, and creeps
up again by small steps while no further 429 comes.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Self

_MINUTE = 60.0
#: The share of the limit that is used: with a second's catching up, 60 * 0.98 + 0.98 stays under 60.
_SHARE = 0.98
_CATCH_UP_SECONDS = 1.0
_FIRST_PAUSE_SECONDS = 2.0
_LONGEST_GUESS_SECONDS = 60.0  # the tenant's policies count by the minute
_LONGEST_PAUSE_SECONDS = 300.0  # a Retry-After beyond this is a mistake; asking again costs one request
_SHORTEST_PAUSE_SECONDS = 1.0
#: After a 429 the limit becomes this share of what went through or of what it was, whichever is less; of what
#: it was it keeps a half, as the minute may have been another client's.
_JUST_UNDER, _AT_LEAST = 0.95, 0.5
#: Without a further 429 the limit becomes so many times what it was, each time this long after.
_STEP, _STEP_SECONDS = 1.05, 300.0
_STEPS_AT_ONCE = 200  # more lift any limit to any other


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The budget's state. Times are seconds of one clock, which all that share the budget must share.

    Attributes:
        next_at: When the next request may leave.
        paused_until: Nothing leaves before.
        learned: Requests a minute that the tenant seems to grant; 0 while there is no reason to doubt the
            settings.
        learned_at: When that was last changed.
        strikes: 429s in a row, those of the same moment counted as one.
        sent: Requests by the second they left in, of the last minute.
    """

    next_at: float = 0.0
    paused_until: float = 0.0
    learned: float = 0.0
    learned_at: float = 0.0
    strikes: int = 0
    sent: tuple[tuple[int, int], ...] = ()

    def limit(self, configured: int) -> float:
        """Requests a minute that are allowed at present."""
        return min(self.learned, configured) if self.learned else configured

    def take(self, now: float, configured: int) -> tuple[Self, float]:
        """Take the next place; the seconds to wait for it."""
        state = self._at(now, configured)
        start = max(state.next_at, state.paused_until, now - _CATCH_UP_SECONDS)
        interval = _MINUTE / (state.limit(configured) * _SHARE)
        return replace(state, next_at=start + interval, sent=_counted(state.sent, max(start, now))), max(
            start - now, 0.0
        )

    def refused(self, now: float, asked: float | None, configured: int) -> tuple[Self, float]:
        """Take a 429 into account; the pause in seconds that follows for everybody.

        Args:
            now: The present moment.
            asked: The pause that the gateway asks for, in seconds; None where it names none.
            configured: What the settings say, in requests a minute.
        """
        state = self._at(now, configured)
        # Requests that were in flight together are rejected together: that is one strike, not several.
        if now >= state.paused_until:
            state = replace(
                state,
                strikes=state.strikes + 1,
                learned=_lowered(state.limit(configured), went_through=_total(state.sent) - 1),
                learned_at=now,
            )
        floor = min(_FIRST_PAUSE_SECONDS * 2.0 ** (state.strikes - 1), _LONGEST_GUESS_SECONDS)
        if asked is None:
            pause = floor
        elif state.strikes <= 1:
            pause = max(asked, _SHORTEST_PAUSE_SECONDS)
        else:  # the gateway's own word was kept and was not enough
            pause = max(asked, floor)
        pause = min(pause, _LONGEST_PAUSE_SECONDS)
        return replace(state, paused_until=max(state.paused_until, now + pause)), pause

    def accepted(self, now: float) -> Self:
        """Note that the gateway let a request through: the next 429 starts with a short pause again."""
        return replace(self, strikes=0) if self.strikes and now >= self.paused_until else self

    def to_json(self) -> dict[str, Any]:
        """As a JSON value, for `from_json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """What `to_json` wrote; the beginning where nothing was written yet."""
        sent = tuple((int(second), int(count)) for second, count in value.get("sent", ()))
        return cls(**value | {"sent": sent})

    def _at(self, now: float, configured: int) -> Self:
        """The state as it is now: grown where nothing spoke against it, and sound after a clock set back."""
        far = now + _LONGEST_PAUSE_SECONDS
        learned_at = min(self.learned_at, now)
        steps = min(int((now - learned_at) / _STEP_SECONDS), _STEPS_AT_ONCE)
        learned = self.learned * _STEP**steps
        return replace(
            self,
            next_at=self.next_at if self.next_at <= far else now,
            paused_until=self.paused_until if self.paused_until <= far else now,
            learned=learned if learned < configured else 0.0,
            learned_at=now if steps == _STEPS_AT_ONCE else learned_at + steps * _STEP_SECONDS,
            sent=tuple(each for each in self.sent if now - _MINUTE < each[0] <= far),
        )


def _lowered(limit: float, *, went_through: int) -> float:
    return max(min(went_through, limit) * _JUST_UNDER, limit * _AT_LEAST, 1.0)


def _counted(sent: tuple[tuple[int, int], ...], moment: float) -> tuple[tuple[int, int], ...]:
    second = int(moment)
    if sent and sent[-1][0] == second:
        return (*sent[:-1], (second, sent[-1][1] + 1))
    return (*sent, (second, 1))


def _total(sent: tuple[tuple[int, int], ...]) -> int:
    return sum(count for _, count in sent)
