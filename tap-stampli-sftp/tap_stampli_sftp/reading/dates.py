"""Dates: text of a file to ISO text, by explicit formats; ISO where none is given."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_ISO_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}.*", re.ASCII)
# Dates repeat; reading one by strptime costs 5 us.
_CACHED = 8192


class DateError(ValueError):
    """The text is no date in the format that is set."""


def date_reader(formats: tuple[str, ...], *, with_time: bool) -> Callable[[str], str]:
    """Make a reader of dates.

    Args:
        formats: strptime formats; empty means ISO.
        with_time: A time of day is kept (``2026-01-31T10:00:00``), in UTC where the file names a zone;
            otherwise only midnight is accepted, by an explicit format, and dropped.

    Returns:
        A function from text to ISO text that raises DateError.
    """

    @lru_cache(maxsize=_CACHED)
    def read(text: str) -> str:
        moment = _by_formats(text, formats) if formats else _iso(text, with_time=with_time)
        if not isinstance(moment, datetime):
            return moment.isoformat()
        if moment.time() == time() and moment.tzinfo is None:
            return moment.date().isoformat()
        if not with_time:
            raise DateError(f"{text!r} has a time of day or a zone where a date is due")
        return (moment.astimezone(UTC) if moment.tzinfo else moment).isoformat()

    return read


def _by_formats(text: str, formats: tuple[str, ...]) -> datetime:
    readings = set()
    for wanted in formats:
        try:
            readings.add(datetime.strptime(text, wanted))  # noqa: DTZ007 - a date without a zone stays one
        except ValueError:
            continue
    if not readings:
        raise DateError(f"{text!r} is no date in the format {' or '.join(formats)} (setting date_format)")
    if len(readings) > 1:
        raise DateError(f"{text!r} may be read in more than one way by date_format ({', '.join(formats)})")
    return readings.pop()


def _iso(text: str, *, with_time: bool) -> date:
    try:
        if _ISO_DATE.fullmatch(text):
            return date.fromisoformat(text)
        if with_time and _ISO_MOMENT.fullmatch(text):
            return datetime.fromisoformat(text)
    except ValueError:
        pass
    raise DateError(
        f"{text!r} is no ISO date (YYYY-MM-DD); set date_format if the file writes dates another way"
    )
