"""The target dies, at every commit of its ledger and at every kind of write, and runs again."""

from __future__ import annotations

import os
import signal
import time
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from target_infor_cloudsuite.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection
    from tests.posting.rig import Rig, invoice, line, payment
else:
    from posting_rig import invoice, line, payment


class DiedError(BaseException):
    """The end of the process, as far as the ledger can tell."""


class MortalLedger(Ledger):
    """A ledger whose process dies at its n-th commit: just before it, or just after."""

    def __init__(self, url: str, *, at: int, after: bool) -> None:
        super().__init__(url)
        self.commits = 0
        self._at, self._after = at, after

    @contextmanager
    def write(self) -> Iterator[Connection]:
        self.commits += 1
        if self.commits > self._at:
            raise DiedError
        with super().write() as tx:
            yield tx
            if self.commits == self._at and not self._after:
                raise DiedError
        if self.commits == self._at:
            raise DiedError


def _documents() -> list[dict[str, Any]]:
    """Six invoices with equal lines coded differently and a credit, and two payments."""
    invoices = [
        invoice(line("100"), line("100", department="Marketing"), line("100")),
        invoice(line("10"), line("20")),
        invoice(),
        invoice(line("500"), line("-20")),
        invoice(line("-80")),
        invoice(line("7")),
    ]
    return [*invoices, payment((invoices[0], "100")), payment((invoices[2], "119"), (invoices[4], "-95.20"))]


def _assert_all_once(rig: Rig, records: list[dict[str, Any]]) -> None:
    assert [rig.status(each) for each in records] == ["posted"] * len(records)
    assert all(rig.is_whole(each) for each in records[:6])
    assert [rig.paid(each) for each in records[:6]] == [100, 0, 119, 0, Decimal("-95.20"), 0]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("tenant", ["aps100", "aps450"])
def test_death_at_every_commit(rig_for: Callable[..., Rig], tenant: str, *, after: bool) -> None:
    """Every third commit of a run, each followed by a run that is left alone."""
    at, deaths = 1 + (2 if after else 1), 0
    while True:
        rig = rig_for(tenant)
        records = _documents()
        rig.feed(*records)
        rig.ledger.close()
        whole, rig.ledger = rig.ledger, MortalLedger(rig.config["ledger_url"], at=at, after=after)
        try:
            rig.run()
        except DiedError:
            deaths += 1
        else:
            break
        finally:
            rig.ledger.close()
            rig.ledger = whole
        rig.time.sleep(1000)  # the lease of the dead worker ends
        rig.run()
        _assert_all_once(rig, records)
        at += 3
    assert deaths > 8


_WRITES = [
    ("aps100", "AddHead"),
    ("aps100", "AddLine"),
    ("aps450", "AddLine"),
    ("aps450", "ValidByBatchNo"),
    ("aps100", "AddStatmtHead"),
    ("aps100", "AddStatmtLine"),
    ("aps100", "AddStatmtDetail"),
    ("aps100", "ValidateStatmt"),
]


@pytest.mark.parametrize(("tenant", "transaction"), _WRITES)
def test_killed_with_a_write_in_the_air(rig_for: Callable[..., Rig], tenant: str, transaction: str) -> None:
    """SIGKILL while M3 has the request and has not done it, then when it has; the third run is left alone."""
    rig = rig_for(tenant, in_doubt_settle_seconds=0.2, request_timeout_seconds=30)
    records = _documents()
    for action in ("timeout_before_work", "hold"):
        rig.sandbox.fault(action, "", transaction)
        with rig.running(*records) as process:
            _wait_for_hit(rig, process)
            os.kill(process.pid, signal.SIGKILL)
            process.wait(timeout=30)
    rig.sandbox.control("DELETE", "faults")
    with rig.running(*records) as process:
        assert process.wait(timeout=60) == 0, (rig.directory / "target.err").read_text()
    _assert_all_once(rig, records)


def _wait_for_hit(rig: Rig, process: Any) -> None:
    deadline = time.monotonic() + 60
    while not rig.sandbox.control("GET", "faults")[0]["hits"]:
        assert time.monotonic() < deadline, "the request never came"
        if process.poll() is not None:
            return  # it came to rest without this write: the run before had sent all of them
        time.sleep(0.02)
