"""Each way a write can end, on each write: afterwards M3 has everything once, and nothing is stuck unseen."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.posting.rig import Rig, invoice, line, payment
else:
    from posting_rig import invoice, line, payment

#: What may happen to one request, each without a word of whether M3 did it.
ENDS: dict[str, dict[str, Any]] = {
    "reset before": {"action": "refuse"},
    "reset after": {"action": "reset_after_work"},
    "timeout before": {"action": "timeout_before_work"},
    "timeout after": {"action": "timeout_after_work"},
    **{
        f"{status} {when}": {"action": "status", "status": status, "when": when}
        for status in (500, 502, 503, 504)
        for when in ("before", "after")
    },
    "late": {"action": "work_after_answer", "delay_ms": 50},
    "cut": {"action": "truncated_json"},
    "html": {"action": "html_200"},
    "401": {"action": "status", "status": 401, "when": "before"},
    "429 seconds": {"action": "status", "status": 429, "retry_after": 1},
    "terminated": {"action": "terminate_bulk_after", "n": 1},
    "dropped": {"action": "drop_results_after", "n": 1},
}
#: The slow ones (they wait for real) once a program suffices.
_QUICK = {name: rule for name, rule in ENDS.items() if not name.startswith(("timeout", "429"))}


#: One of each class; the gateway's own tests tell that 500, 502 and 503 are of one class with 504.
_CLASSES = ("reset before", "reset after", "504 before", "504 after", "late", "cut", "401", "terminated")


def _wait_for_late_work(rig: Rig) -> None:
    """Until M3 has done what it answered a 504 to."""
    deadline = time.monotonic() + 10
    while not _late_work_is_done(rig):
        assert time.monotonic() < deadline, "the late work was never done"


def _late_work_is_done(rig: Rig) -> bool:
    entries = rig.sandbox.control("GET", "requests")
    late = [each for each in entries if each.get("fault") == "work_after_answer"]
    return all("outcome" in step for each in late for step in each["transactions"])


def _settling_waits_for_late_work(rig: Rig) -> None:
    """Work that a 504 announced is done before the settle time has passed: that is what settling is for."""
    rig.time.on_sleep = lambda: _wait_for_late_work(rig)


def _rule(rule: dict[str, Any], program: str, transaction: str) -> dict[str, Any]:
    return {"match": {"program": program, "transaction": transaction, "nth": 1}, **rule}


def _invoices() -> list[dict[str, Any]]:
    return [
        invoice(line("100"), line("50")),
        invoice(line("10"), line("10", department="Marketing"), line("10")),
        invoice(line("-80")),
    ]


@pytest.mark.parametrize("end", _QUICK)
@pytest.mark.parametrize(
    ("tenant", "transaction"),
    [("aps100", "AddHead"), ("aps100", "AddLine"), ("aps450", "AddLine"), ("aps450", "ValidByBatchNo")],
)
def test_an_invoice_is_in_m3_once_however_a_write_of_it_ends(
    rig_for: Callable[..., Rig], tenant: str, transaction: str, end: str
) -> None:
    rig = rig_for(tenant)
    _settling_waits_for_late_work(rig)
    wanted = _invoices()
    rig.sandbox.faults(_rule(ENDS[end], "", transaction))
    rig.run(*wanted)
    assert rig.sandbox.control("GET", "faults")[0]["hits"] == 1
    rig.run()  # what was certainly not run goes now
    assert {rig.status(each) for each in wanted} == {"posted"}
    assert all(rig.is_whole(each) for each in wanted)
    assert set(rig.doubts()) <= {"adopted", "resent"}


@pytest.mark.parametrize("end", ["timeout before", "timeout after", "429 seconds"])
def test_slow_ends(rig: Rig, end: str) -> None:
    wanted = _invoices()
    rig.changed["request_timeout_seconds"] = 0.7
    rig.sandbox.faults(*(_rule(ENDS[end], "", name) for name in ("AddHead", "AddLine", "ValidByBatchNo")))
    rig.run(*wanted)
    assert {rig.status(each) for each in wanted} == {"posted"}
    assert all(rig.is_whole(each) for each in wanted)


@pytest.mark.parametrize("end", _CLASSES)
@pytest.mark.parametrize(
    "transaction", ["AddStatmtHead", "AddStatmtLine", "AddStatmtDetail", "ValidateStatmt"]
)
def test_a_payment_is_booked_once_however_a_write_of_it_ends(
    rig_for: Callable[..., Rig], transaction: str, end: str
) -> None:
    rig = rig_for()
    first, second = invoice(line("100")), invoice(line("200"))
    paid = [payment((first, "119")), payment((second, "100"))]
    _settling_waits_for_late_work(rig)
    rig.feed(first, second, *paid)
    rig.sandbox.faults(_rule(ENDS[end], "ABS100MI", transaction))
    rig.run()
    rig.run()
    assert [rig.status(each) for each in paid] == ["posted", "posted"]
    assert (rig.paid(first), rig.paid(second)) == (Decimal(119), Decimal(100))
    assert all(rig.document(each).settled for each in paid)
    assert set(rig.doubts()) <= {"adopted", "resent"}


@pytest.mark.parametrize("end", _CLASSES)
def test_a_batch_that_m3_refuses_a_line_of_is_withdrawn_however_that_ends(
    rig_for: Callable[..., Rig], end: str
) -> None:
    rig = rig_for("aps450")
    rig.account("6991")
    bad, good = invoice(line("100"), line("50", account="6991")), invoice()
    rig.run()  # reads the reference data
    rig.account("6991", blocked=True)
    rig.sandbox.faults(_rule(ENDS[end], "APS450MI", "DltInvoice"))
    rig.run(bad, good)
    assert rig.status(bad).startswith("failed")
    assert rig.is_whole(good)
    _wait_for_late_work(rig)  # the settling of a withdrawal is the replay's, minutes later
    rig.account("6991")
    rig.decide("replay", bad)
    rig.run()
    if rig.staged(bad):  # it could not be deleted: a person has to
        assert rig.status(bad) == "review open_batch_in_m3"
        assert not rig.in_m3(bad)
    else:
        assert rig.status(bad) == "posted"
        assert rig.is_whole(bad)
