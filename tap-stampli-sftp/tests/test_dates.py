from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_stampli_sftp.reading.dates import DateError, date_reader


@pytest.mark.parametrize(
    ("formats", "with_time", "text", "expected"),
    [
        ((), False, "2026-01-31", "2026-01-31"),
        (("%d/%m/%Y",), False, "01/02/2026", "2026-02-01"),
        (("%Y-%m-%d %H:%M:%S",), False, "2024-09-02 00:00:00", "2024-09-02"),
        (("%d/%m/%Y", "%Y-%m-%d %H:%M:%S"), False, "2024-09-02 00:00:00", "2024-09-02"),
        (("%d/%m/%Y", "%m/%d/%Y"), False, "31/01/2026", "2026-01-31"),
        (("%d/%m/%Y", "%m/%d/%Y"), False, "05/05/2026", "2026-05-05"),
        ((), True, "2026-01-31T10:20:30Z", "2026-01-31T10:20:30+00:00"),
        ((), True, "2026-01-31T23:20:30-05:00", "2026-02-01T04:20:30+00:00"),
        ((), True, "2026-01-31 10:20:30", "2026-01-31T10:20:30"),
        ((), True, "2026-01-31", "2026-01-31"),
        (("%d.%m.%Y %H:%M",), True, "31.01.2026 10:20", "2026-01-31T10:20:00"),
    ],
)
def test_dates_that_are_read(formats: tuple[str, ...], with_time: bool, text: str, expected: str) -> None:  # noqa: FBT001
    assert date_reader(formats, with_time=with_time)(text) == expected


@pytest.mark.parametrize(
    ("formats", "text"),
    [
        ((), "01/02/2026"),
        ((), "20260131"),
        ((), "2026-W05-6"),
        ((), "2026-02-30"),
        ((), "2024-09-02 00:00:00"),
        (("%d/%m/%Y",), "2026-01-31"),
        (("%Y-%m-%d %H:%M:%S",), "2024-09-02 10:00:00"),
        (("%d/%m/%Y", "%m/%d/%Y"), "01/02/2026"),
    ],
)
def test_dates_that_are_refused(formats: tuple[str, ...], text: str) -> None:
    with pytest.raises(DateError):
        date_reader(formats, with_time=False)(text)


@given(st.dates(min_value=date(1000, 1, 1)), st.sampled_from(["%d/%m/%Y", "%m/%d/%Y", "%Y%m%d", "%d %b %Y"]))
def test_every_date_comes_back_from_every_explicit_format(day: date, wanted: str) -> None:
    assert date_reader((wanted,), with_time=False)(day.strftime(wanted)) == day.isoformat()
