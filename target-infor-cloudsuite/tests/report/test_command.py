"""``cloudsuite-ap report``, and the page that every run leaves."""

from __future__ import annotations

import hashlib
import json
import logging
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from target_infor_cloudsuite import target as target_module
from target_infor_cloudsuite.cli.main import main
from target_infor_cloudsuite.clock import Clock
from target_infor_cloudsuite.ledger import Ledger, LedgerError
from target_infor_cloudsuite.report.write import NothingToReport, ReportError
from target_infor_cloudsuite.settings import read_settings
from target_infor_cloudsuite.target import TargetInforCloudSuite

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result
    from tests.report.conftest import Made

    from tests.conftest import Message, Programs


@pytest.fixture
def report(tmp_path: Path, made: Callable[[int], Made]) -> Callable[..., Result]:
    """The command, with a copy of the ledger of one document."""
    ledger = tmp_path / "ledger.db"
    ledger.write_bytes(made(1).ledger.read_bytes())
    config = tmp_path / "config.json"
    output = str(tmp_path / "output")
    config.write_text(json.dumps({"ledger_url": f"sqlite:///{ledger}", "output_dir": output}), "utf-8")

    def call(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["--config", str(config), "report", *arguments])

    return call


def test_it_writes_the_page_and_says_where(report: Callable[..., Result], tmp_path: Path) -> None:
    done = report()
    page = tmp_path / "output" / "report.html"
    assert (done.exit_code, done.stdout, done.stderr) == (0, f"{page}\n", "")
    assert page.read_text("utf-8").startswith("<!doctype html>")
    assert list(page.parent.iterdir()) == [page]
    other = tmp_path / "elsewhere" / "page.html"
    assert report("--output", str(other)).exit_code == 0
    assert other.exists()


def test_machines_get_the_figures(report: Callable[..., Result], tmp_path: Path) -> None:
    done = report("--format", "json")
    assert (done.exit_code, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert found["path"] == str(tmp_path / "output" / "report.html")
    assert {"statuses", "groups", "ages", "currencies", "days", "runs", "settled", "doubts"} <= found.keys()


def test_an_empty_ledger_is_one_clear_line_and_nothing_changed(
    report: Callable[..., Result], tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger.db"
    ledger.unlink()
    done = report()
    assert (done.exit_code, done.stdout) == (1, "")
    assert "There is no ledger at" in done.stderr
    with closing(Ledger(f"sqlite:///{ledger}")) as made_here:
        made_here.open()
    before = hashlib.sha256(ledger.read_bytes()).digest()
    done = report()
    assert (done.exit_code, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert "is empty" in line
    assert "Nothing was written" in line
    assert hashlib.sha256(ledger.read_bytes()).digest() == before
    assert not (tmp_path / "output").exists()


def test_a_page_that_cannot_be_written_is_one_clear_line(
    report: Callable[..., Result], tmp_path: Path
) -> None:
    (tmp_path / "output").write_text("a file, no folder", "utf-8")
    done = report()
    assert (done.exit_code, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert "report.html cannot be written" in line
    assert "--output" in line
    assert report("--output", str(tmp_path)).exit_code == 2


def test_every_run_leaves_a_page_and_none_fails_over_it(quiet: Programs, few: tuple[Message, ...]) -> None:
    rejected = [each for each in few if each.get("stream") in {"rejected_rows", "source_files"}]
    page = quiet.directory / "output" / "report.html"
    assert quiet.target(rejected).returncode == 0
    assert "1 document waits for a person" in page.read_text("utf-8")
    page.unlink()
    page.mkdir()
    again = quiet.target([])
    assert again.returncode == 0
    assert "There is no new report" in again.stderr
    assert "Traceback" not in again.stderr


@pytest.mark.parametrize(
    ("fault", "level", "traced"),
    [
        (NothingToReport("empty"), logging.INFO, False),
        (ReportError("full"), logging.WARNING, False),
        (LedgerError("gone"), logging.WARNING, False),
        (KeyError("a defect"), logging.WARNING, True),
    ],
)
def test_no_fault_of_the_page_reaches_the_run(
    fault: Exception,
    level: int,
    *,
    traced: bool,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr(target_module, "renew_report", fail)
    run = object.__new__(TargetInforCloudSuite)
    run.settings = read_settings({}, need_ionapi=False)
    run.ledger = Ledger("sqlite://")
    run._clock = Clock()
    with caplog.at_level(logging.INFO):
        run._report()
    (told,) = caplog.records
    assert (told.levelno, told.exc_info is not None) == (level, traced)
