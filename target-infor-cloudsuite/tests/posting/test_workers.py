"""Several targets as processes on one ledger in PostgreSQL: no twin, and none of them starves."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from postgres import new_database, running_cluster
from target_infor_cloudsuite.ledger import events
from target_infor_cloudsuite.ledger.states import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.posting.rig import Rig, invoice, line, payment
else:
    from posting_rig import invoice, line, payment

_LEASE_SECONDS = 10


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    with running_cluster() as folder:
        yield folder


@pytest.fixture
def shared(cluster: str, rig_for: Callable[..., Rig]) -> Callable[..., Rig]:
    """A target with its ledger in a new database, short of patience."""

    def make(tenant: str = "aps100", *options: str, **settings: object) -> Rig:
        own = {
            "ledger_url": new_database(cluster),
            "claim_lease_seconds": _LEASE_SECONDS,
            "in_doubt_settle_seconds": 1,
            "request_timeout_seconds": 60,
        }
        return rig_for(tenant, *options, **own | settings)

    return make


def until(reached: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 120
    while not reached():
        assert time.monotonic() < deadline, f"never came about: {what}"
        time.sleep(0.1)


def test_two_at_once_post_everything_once_and_share_the_work(shared: Callable[..., Rig]) -> None:
    rig = shared("aps100", "--latency-ms", "40", max_transactions_per_request=5, max_in_flight=1)
    bills = [invoice(line("10"), line("20", account="6600")) for _ in range(30)]
    paid = [payment((bill, "35.70")) for bill in bills[:4]]
    rig.feed(*bills, *paid)
    with rig.running() as one, rig.running() as other:
        assert [one.wait(300), other.wait(300)] == [0, 0]
    rig.run()  # payments of invoices that the other one posted too late for them
    assert all(rig.is_whole(bill) for bill in bills)
    assert [rig.paid(bill) for bill in bills[:5]] == [rig.paid(bills[0])] * 4 + [0]
    assert {rig.status(each) for each in (*bills, *paid)} == {"posted"}
    heads = [rig.sandbox.sent("AddHead", SINO=bill["invoice_number"]) for bill in bills]
    assert heads == [1] * len(bills)
    with rig.ledger.read() as tx:
        workers = Counter(
            event.actor for event in events.since(tx, 0) if event.action == f"document.{Status.READY}"
        )
    shares = sorted(count for actor, count in workers.items() if actor.startswith("target "))
    assert len(shares) >= 2
    assert shares[-2] >= 5, "the second worker was kept from its share"


@pytest.mark.parametrize(
    ("tenant", "transaction"),
    [("aps100", "AddHead"), ("aps100", "AddLine"), ("aps450", "AddLine"), ("aps450", "ValidByBatchNo")],
)
def test_a_paused_worker_that_wakes_makes_no_twin(
    shared: Callable[..., Rig], tenant: str, transaction: str
) -> None:
    rig = shared(tenant)
    bill = invoice(line("10"), line("20", account="6600"))
    program = {"ValidByBatchNo": "APS455MI"}.get(transaction, tenant.upper() + "MI")
    # M3 has done it, and the answer is on its way when the worker is stopped.
    rig.sandbox.fault("hold", program, transaction)
    with rig.running(bill) as paused:
        until(lambda: any(each["hits"] for each in rig.sandbox.control("GET", "faults")), "the held request")
        os.kill(paused.pid, signal.SIGSTOP)
        time.sleep(_LEASE_SECONDS + 1)  # its lease runs out; on this host it is known to live
        with rig.running() as heir:
            assert heir.wait(120) == 0
        assert rig.status(bill) == "posted"
        rig.sandbox.control("POST", "release")
        os.kill(paused.pid, signal.SIGCONT)
        assert paused.wait(120) == 0
    assert rig.is_whole(bill)
    assert rig.status(bill) == "posted"
    assert rig.sandbox.sent("AddHead", SINO=bill["invoice_number"]) == 1
    assert "document.in_doubt" in rig.actions(bill)  # it was asked about, not sent again


def test_a_dead_worker_s_documents_are_taken_over_at_once_and_asked_about(
    shared: Callable[..., Rig],
) -> None:
    rig = shared("aps100", claim_lease_seconds=3600)
    bill = invoice(line("10"), line("20", account="6600"))
    rig.sandbox.fault("hold", "APS100MI", "AddHead")
    with rig.running(bill) as dead:
        until(lambda: any(each["hits"] for each in rig.sandbox.control("GET", "faults")), "the held request")
        os.kill(dead.pid, signal.SIGKILL)
        dead.wait(30)
    rig.sandbox.control("DELETE", "faults")
    with rig.running() as heir:
        assert heir.wait(120) == 0
    assert rig.is_whole(bill)
    assert rig.sandbox.sent("AddHead", SINO=bill["invoice_number"]) == 1
    assert "document.in_doubt" in rig.actions(bill)
