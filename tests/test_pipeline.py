"""Whole pipelines against the sandbox: what a day's files become, by either road, and when run again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import zipfile
from decimal import Decimal
from typing import TYPE_CHECKING

from pipelines import BIN, ROOT, TAP, clean_env, make_pipeline, paid, posted
from stampli_infor_sandbox.demo import tally

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipelines import Pipeline, Sandbox


def test_the_sample_is_posted_and_the_three_books_agree(pipeline: Pipeline, sandbox: Sandbox) -> None:
    before = sandbox.books()
    done = pipeline.run()
    assert done.codes == (0, 0), done.said
    status = pipeline.ap("status")
    ledger = tally.in_ledger(status)
    audit = tally.in_audit(pipeline.directory / "output" / "audit")
    m3 = tally.in_m3(before, sandbox.books())
    assert tally.disagreements(ledger, audit, m3) == []
    assert ledger.counts["invoice"] > 20
    assert ledger.counts["payment"] > 0
    assert status["documents"]["invoice"]["review"]["count"] > 0
    assert sandbox.books()["staged"] == []


def test_a_second_run_posts_nothing(pipeline: Pipeline, sandbox: Sandbox) -> None:
    pipeline.run()
    after_first = sandbox.books()
    done = pipeline.run()
    assert done.codes == (0, 0), done.said
    after_second = sandbox.books()
    assert all(after_first[name] == after_second[name] for name in ("invoices", "staged", "statements"))


def test_without_state_the_ledger_alone_keeps_it_from_posting_twice(
    pipeline: Pipeline, sandbox: Sandbox
) -> None:
    pipeline.run()
    after_first = sandbox.books()
    pipeline.state.unlink()
    done = pipeline.run()
    assert done.codes == (0, 0), done.said
    assert posted(sandbox.books()) == posted(after_first)
    assert paid(sandbox.books()) == paid(after_first)


def test_state_without_its_ledger_stops_the_run(pipeline: Pipeline, sandbox: Sandbox) -> None:
    pipeline.run()
    after_first = sandbox.books()
    for path in pipeline.directory.glob("ledger.db*"):
        path.unlink()
    done = pipeline.run()
    assert done.codes[-1] != 0
    assert "ledger" in done.said
    assert sandbox.books()["invoices"] == after_first["invoices"]


def test_a_first_run_takes_old_files_zips_and_copies(pipeline: Pipeline, sandbox: Sandbox) -> None:
    """What the tap remembers without a name, or never sent, is no sign of a lost ledger."""
    outbound = sandbox.home.root / "sftp" / "outbound"
    (sample,) = outbound.glob("vendors_*.csv")
    with zipfile.ZipFile(outbound / "vendors_two.zip", "w") as packed:
        packed.writestr("a.csv", sample.read_bytes())
        packed.writestr("b.csv", sample.read_bytes().splitlines(keepends=True)[0])
    shutil.copy(sample, outbound / "vendors_copy.csv")
    long_ago = time.time() - 90 * 86_400
    for each in outbound.iterdir():
        os.utime(each, (long_ago, long_ago))
    done = pipeline.run()
    assert done.codes == (0, 0), done.said
    assert "same content" in done.said
    again = pipeline.run()
    assert again.codes == (0, 0), again.said


def test_the_mapper_in_between_posts_exactly_the_same(
    tmp_path: Path, start_sandbox: Callable[..., Sandbox]
) -> None:
    two, three = start_sandbox("two"), start_sandbox("three")
    direct, mapped = make_pipeline(tmp_path / "direct", two), make_pipeline(tmp_path / "mapped", three)
    mapped.mapper = True
    assert direct.run().codes == (0, 0)
    done = mapped.run()
    assert done.codes == (0, 0, 0), done.said
    assert posted(two.books()) == posted(three.books())
    assert paid(two.books()) == paid(three.books())
    counts = [
        {
            kind: {name: cell["count"] for name, cell in cells.items()}
            for kind, cells in status["documents"].items()
        }
        for status in (direct.ap("status"), mapped.ap("status"))
    ]
    assert counts[0] == counts[1]


def test_a_dry_run_sends_nothing_and_the_real_one_then_posts(pipeline: Pipeline, sandbox: Sandbox) -> None:
    before = sandbox.books()
    pipeline.target["dry_run"] = True
    done = pipeline.run()
    assert done.codes == (0, 0), done.said
    assert all(before[name] == sandbox.books()[name] for name in ("invoices", "staged", "statements"))
    assert not pipeline.state.exists()
    assert "AddHead" in done.said
    pipeline.target["dry_run"] = False
    assert pipeline.run().codes == (0, 0)
    assert len(sandbox.books()["invoices"]) > len(before["invoices"]) + 20


def test_an_empty_directory_is_a_quiet_day(pipeline: Pipeline, sandbox: Sandbox) -> None:
    for path in sandbox.home.outbound.iterdir():
        path.unlink()
    before = sandbox.books()
    done = pipeline.run()
    assert done.codes == (0, 0), done.said
    said = [line for line in done.errors[0].splitlines() if "/outbound" in line]
    assert len(said) == 1
    assert sandbox.books()["invoices"] == before["invoices"]


def test_a_new_file_is_picked_up_by_the_next_run(pipeline: Pipeline, sandbox: Sandbox) -> None:
    late = max(sandbox.home.outbound.glob("invoices_*"))
    aside = pipeline.directory / late.name
    shutil.copy2(late, aside)
    late.unlink()
    assert pipeline.run().codes == (0, 0)
    first = posted(sandbox.books())
    shutil.copy2(aside, late)
    assert pipeline.run().codes == (0, 0)
    second = posted(sandbox.books())
    assert first.keys() < second.keys()
    assert all(second[key]["amount"] == invoice["amount"] for key, invoice in first.items())


def test_an_unknown_vendor_waits_and_the_others_are_posted(pipeline: Pipeline, sandbox: Sandbox) -> None:
    path = sandbox.home.outbound / "invoices_unknown.csv"
    path.write_text(
        "Company,Invoice ID,Invoice Number,Vendor ID,Vendor External ID,Vendor Name,Invoice Date,Currency,"
        "Invoice Amount,Line Number,Line Amount,GL Account\n"
        "NW-DE,INV-X1,X-1,V-NONE,99999,Nobody GmbH,2026-11-02,EUR,10.00,1,10.00,6100\n",
        "utf-8",
    )
    pipeline.tap["min_age_seconds"] = 0
    assert pipeline.run().codes == (0, 0)
    rows = tally.run_rows(pipeline.directory / "output")
    (unknown,) = [row for row in rows if row["number"] == "X-1"]
    assert unknown["status"] == "review"
    assert "supplier" in unknown["reasons"]
    assert Decimal(unknown["amount"]) == 10
    assert any(row["status"] == "posted" for row in rows)


def test_the_tap_alone_feeds_any_target(tmp_path: Path, pipeline: Pipeline) -> None:
    config = tmp_path / "tap.json"
    config.write_text(json.dumps(pipeline.tap), "utf-8")
    done = subprocess.run(
        [str(BIN / TAP), "--config", str(config)],
        env=clean_env(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    streams = [message["stream"] for message in messages if message["type"] == "SCHEMA"]
    assert streams == ["vendors", "gl_accounts", "invoices", "payments", "rejected_rows", "source_files"]
    assert {message["stream"] for message in messages if message["type"] == "RECORD"} >= {
        "invoices",
        "payments",
    }
