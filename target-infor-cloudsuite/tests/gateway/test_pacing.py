from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from target_infor_cloudsuite.ion.pacing import Pacer

if TYPE_CHECKING:
    from tests.gateway.ion_server import FakeTime


def pacer_at(rate: int, time: FakeTime) -> Pacer:
    return Pacer(rate, clock=time, sleep=time.sleep, wall_clock=time.wall)


def most_within(moments: list[float], seconds: float) -> int:
    return max(sum(start <= other < start + seconds for other in moments) for start in moments)


@pytest.mark.parametrize(("rate", "a_second"), [(1, 1), (2, 1), (60, 1), (100, 2), (500, 9)])
def test_no_minute_and_no_second_takes_more_than_its_share(time: FakeTime, rate: int, a_second: int) -> None:
    pacer = pacer_at(rate, time)
    moments = []
    for _ in range(rate * 2 + 5):
        pacer.acquire()
        moments.append(time.now)
    assert most_within(moments, 60) == rate
    assert most_within(moments, 1) <= a_second
    assert moments[-1] - moments[0] < 60 * 2 + 60 * 5 / rate + 5  # the budget is used, too


def test_no_burst_after_idling(time: FakeTime) -> None:
    pacer = pacer_at(100, time)
    pacer.acquire()
    time.now += 3600
    started = time.now
    moments = []
    for _ in range(10):
        pacer.acquire()
        moments.append(time.now - started)
    assert moments == pytest.approx([0, 0, 1, 1, 2, 2, 3, 3, 4, 4], abs=0.05)


def test_a_penalty_pauses_every_thread(time: FakeTime) -> None:
    pacer = pacer_at(6000, time)
    assert pacer.penalise("30") == 30
    until = time.now + 30
    passed: list[float] = []
    lock = threading.Lock()

    def acquire() -> None:
        pacer.acquire()
        with lock:
            passed.append(time.now)

    threads = [threading.Thread(target=acquire) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert min(passed) >= until


def test_rejections_of_the_same_moment_are_one_strike(time: FakeTime) -> None:
    pacer = pacer_at(100, time)
    assert [pacer.penalise(None) for _ in range(4)] == [2, 2, 2, 2]
    time.now += 2
    assert pacer.penalise(None) == 4


def test_the_floor_grows_even_where_the_gateway_asks_for_less(time: FakeTime) -> None:
    pacer = pacer_at(100, time)
    pauses = []
    for _ in range(8):
        pauses.append(pacer.penalise("1"))
        time.now += pauses[-1]
    assert pauses == [1, 4, 8, 16, 32, 60, 60, 60]
    pacer.succeeded()
    assert pacer.penalise(None) == 2


@pytest.mark.parametrize(
    ("header", "pause"),
    [
        ("Mon, 05 Jan 2026 00:00:10 GMT", 10),
        ("Mon, 05 Jan 2026 00:00:10 -0000", 10),
        ("Sun, 04 Jan 2026 00:00:00 GMT", 1),
        ("-5", 2),
        ("1.5", 2),
        ("", 2),
        ("9" * 50, 300),
    ],
)
def test_what_retry_after_may_look_like(time: FakeTime, header: str, pause: float) -> None:
    assert pacer_at(100, time).penalise(header) == pause


def test_a_budget_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Pacer(0)
