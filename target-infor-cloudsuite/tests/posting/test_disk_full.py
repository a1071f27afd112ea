"""A disk that fills while documents are on their way: the run stops with what to do, and nothing is lost."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.posting.rig import BIN, Rig, invoice, line
else:
    from posting_rig import BIN, invoice, line

#: The kernel's own limit on a file's size stands in for the disk's end: writing beyond it fails the same way.
_LIMITED = (
    "import os, resource, sys\n"
    "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)\n"
    "os.execv(sys.argv[2], sys.argv[2:])\n"
)


def test_a_disk_that_fills_stops_the_run_and_the_next_one_goes_on(rig_for: Callable[..., Rig]) -> None:
    rig = rig_for(max_transactions_per_request=5)
    bills = [invoice(line("10"), line("20", account="6600")) for _ in range(40)]
    rig.feed(*bills)
    rig.ledger.close()
    ledger = rig.directory / "ledger.db"
    target = str(BIN / "target-infor-cloudsuite")
    limit = str(ledger.stat().st_size + 400_000)
    stopped = subprocess.run(
        [sys.executable, "-c", _LIMITED, limit, target, "--config", str(rig.write_config())],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert stopped.returncode == 1, stopped.stderr
    errors = [text for text in stopped.stderr.splitlines() if " ERROR " in text or "Error:" in text]
    assert any("Make room on its disk" in text for text in errors), stopped.stderr
    assert rig.sandbox.sent("AddHead") > 0, "it was to fill while documents were on their way"
    assert not all(rig.is_whole(bill) for bill in bills)
    rig.run()
    assert all(rig.is_whole(bill) for bill in bills)
    assert {rig.status(bill) for bill in bills} == {"posted"}
