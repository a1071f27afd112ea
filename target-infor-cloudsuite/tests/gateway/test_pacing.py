from __future__ import annotations

import math
import threading
from collections import deque
from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest
from target_infor_cloudsuite.ion.pacing import OwnBudget, Pacer

if TYPE_CHECKING:
    from tests.gateway.ion_server import FakeTime


def pacer_at(rate: int, time: FakeTime) -> Pacer:
    return Pacer(rate, store=OwnBudget(time), sleep=time.sleep, wall_clock=time.wall)


def most_within(moments: list[float], seconds: float) -> int:
    return max(sum(start <= other < start + seconds for other in moments) for start in moments)


@pytest.mark.parametrize(("rate", "a_second"), [(1, 1), (2, 1), (60, 2), (100, 4), (500, 17)])
def test_no_minute_takes_more_than_its_share_and_all_but_a_little_is_used(
    time: FakeTime, rate: int, a_second: int
) -> None:
    pacer = pacer_at(rate, time)
    moments = []
    for _ in range(rate * 3):
        pacer.acquire()
        moments.append(time.now)
    assert 0.97 * rate <= most_within(moments, 60) <= rate
    assert most_within(moments, 1) <= a_second
    assert moments[-1] - moments[0] <= 60 * 3 / 0.98


def test_no_burst_after_idling(time: FakeTime) -> None:
    pacer = pacer_at(100, time)
    pacer.acquire()
    time.now += 3600
    started = time.now
    moments = []
    for _ in range(6):
        pacer.acquire()
        moments.append(time.now - started)
    assert moments == pytest.approx([0, 0, 0.22, 0.84, 1.45, 2.06], abs=0.01)


class Window:
    """A gateway that lets so many requests through in any minute; its Retry-After has one of three forms."""

    def __init__(self, per_minute: int, time: FakeTime, *, retry_after: str = "seconds") -> None:
        self.per_minute, self.time, self.retry_after = per_minute, time, retry_after
        self.taken: deque[float] = deque()
        self.asked = self.refused = 0

    def ask(self, pacer: Pacer) -> bool:
        pacer.acquire()
        self.asked += 1
        while self.taken and self.taken[0] <= self.time.now - 60:
            self.taken.popleft()
        if len(self.taken) < self.per_minute:
            self.taken.append(self.time.now)
            pacer.succeeded()
            return True
        self.refused += 1
        wait = max(1, math.ceil(self.taken[0] + 60 - self.time.now))
        forms = {
            "seconds": str(wait),
            "date": format_datetime(self.time.wall() + timedelta(seconds=wait), usegmt=True),
            "missing": None,
        }
        pacer.penalise(forms[self.retry_after])
        return False


@pytest.mark.parametrize("retry_after", ["seconds", "date", "missing"])
@pytest.mark.parametrize(("settings", "real"), [(100, 100), (500, 500), (500, 300), (500, 60), (100, 20)])
def test_the_real_limit_is_learnt_and_used(
    time: FakeTime, settings: int, real: int, retry_after: str
) -> None:
    pacer, gateway = pacer_at(settings, time), Window(real, time, retry_after=retry_after)
    until = time.now + 600  # what it costs to learn
    while time.now < until:
        gateway.ask(pacer)
    gateway.asked = gateway.refused = 0
    began = time.now
    through = sum(gateway.ask(pacer) for _ in range(real * 60))
    assert gateway.refused <= 0.01 * gateway.asked
    assert through >= 0.9 * real * (time.now - began) / 60


def test_after_429s_that_pass_the_settings_hold_again(time: FakeTime) -> None:
    pacer, gateway = pacer_at(100, time), Window(10, time)
    for _ in range(60):
        gateway.ask(pacer)
    gateway.per_minute = 10_000
    time.now += 6 * 3600
    began, count = time.now, 300
    for _ in range(count):
        assert gateway.ask(pacer)
    assert count / (time.now - began) * 60 == pytest.approx(98, abs=1)


def test_the_limit_grows_by_steps_only(time: FakeTime) -> None:
    pacer = pacer_at(100, time)
    for _ in range(50):
        pacer.acquire()
    pacer.penalise("1")
    lowered = 60 / _spacing(pacer, time)
    assert 40 < lowered < 50
    time.now += 200
    assert 60 / _spacing(pacer, time) == pytest.approx(lowered)
    time.now += 300
    assert 60 / _spacing(pacer, time) == pytest.approx(lowered * 1.05)


def _spacing(pacer: Pacer, time: FakeTime) -> float:
    for _ in range(5):
        pacer.acquire()
    before = time.now
    pacer.acquire()
    return time.now - before


@pytest.mark.parametrize("step", [-86_400, -3_600, 3_600, 86_400])
def test_a_clock_that_is_set_back_or_forward_neither_stops_nor_bursts(time: FakeTime, step: float) -> None:
    pacer = pacer_at(100, time)
    pacer.penalise("30")
    for _ in range(20):
        pacer.acquire()
    time.now += step
    began = time.now
    moments = []
    for _ in range(50):
        pacer.acquire()
        moments.append(time.now)
    assert moments[0] - began < 2
    assert moments[-1] - moments[0] < 62  # at the 50 a minute that the 429 left
    assert most_within(moments, 10) <= 20


def test_two_that_share_a_budget_stay_under_it_together(time: FakeTime) -> None:
    store = OwnBudget(time)
    pacers = [Pacer(100, store=store, sleep=time.sleep, wall_clock=time.wall) for _ in range(2)]
    moments = []
    for nth in range(300):
        pacers[nth % 2].acquire()
        moments.append(time.now)
    assert most_within(moments, 60) <= 100
    pacers[0].penalise("30")
    until = time.now + 30
    pacers[1].acquire()
    assert time.now >= until


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
