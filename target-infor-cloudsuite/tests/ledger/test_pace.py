"""The request budget that workers on one ledger share, on both databases."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from target_infor_cloudsuite.ion.pacing import Pacer

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_infor_cloudsuite.ion.budget import Budget
    from target_infor_cloudsuite.ledger import Ledger

_RATE = 600


def test_workers_take_the_places_of_one_budget(url: str, open_ledger: Callable[[str], Ledger]) -> None:
    stores = [open_ledger(url).request_budget() for _ in range(3)]
    places: list[float] = []
    lock = threading.Lock()

    def take(budget: Budget, now: float) -> tuple[Budget, float]:
        changed, wait = budget.take(now, _RATE)
        return changed, now + wait

    def work(nth: int) -> None:
        for _ in range(20):
            place = stores[nth].change(take)
            with lock:
                places.append(place)

    threads = [threading.Thread(target=work, args=(nth,)) for nth in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # However slow the database is at times: never more than the budget and the second that may be caught up.
    places.sort()
    interval = 60 / (_RATE * 0.98)
    assert places[-1] - places[0] > len(places) * interval / 2
    assert all(
        later - earlier >= nth * interval - 1.01
        for start, earlier in enumerate(places)
        for nth, later in enumerate(places[start:])
    )


def test_a_429_of_one_worker_pauses_the_others_and_outlives_them(
    url: str, open_ledger: Callable[[str], Ledger]
) -> None:
    slept: list[float] = []
    first, second = (
        Pacer(_RATE, store=open_ledger(url).request_budget(), sleep=slept.append) for _ in range(2)
    )
    first.acquire()
    first.penalise("45")
    second.acquire()
    assert 40 < slept[-1] <= 45


def test_taking_a_place_waits_for_no_writer(ledger: Ledger) -> None:
    budget = ledger.request_budget()
    with ledger.write() as tx:
        tx.exec_driver_sql("UPDATE chain SET seq = seq")
        began = time.monotonic()
        thread = threading.Thread(target=budget.change, args=(lambda state, now: state.take(now, _RATE),))
        thread.start()
        thread.join(timeout=20)
        assert not thread.is_alive()
        assert time.monotonic() - began < 20
