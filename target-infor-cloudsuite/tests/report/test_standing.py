"""The page is made anew when something happened, or once an hour; and what it asks for is not every row."""

from __future__ import annotations

import os
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event, text
from target_infor_cloudsuite.ledger import Ledger, events, reference
from target_infor_cloudsuite.ledger.types import utc_text
from target_infor_cloudsuite.reconciliation import SCOPE as RECONCILIATION
from target_infor_cloudsuite.report.gather import gather
from target_infor_cloudsuite.report.standing import still_stands
from target_infor_cloudsuite.report.write import renew_report

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from target_infor_cloudsuite.settings import Settings
    from tests.report import ledgers
    from tests.report.conftest import Made

    from tests.conftest import Message, Programs
else:
    import report_ledgers as ledgers

_BEFORE = timedelta(minutes=10)


def _stands(ledger: Ledger, page: Path, now: datetime) -> bool:
    with ledger.read() as tx:
        return still_stands(tx, page, now=now)


@pytest.fixture
def page(tmp_path: Path) -> Path:
    found = tmp_path / "report.html"
    found.write_text("a page", "utf-8")
    return found


@pytest.fixture
def ledger() -> Any:
    with closing(Ledger("sqlite://")) as made:
        made.open()
        yield made


def _happened(ledger: Ledger, action: str, at: datetime) -> None:
    with ledger.write() as tx:
        events.record(tx, action, at=at, actor="somebody")


def _made_at(page: Path, moment: datetime) -> None:
    os.utime(page, (moment.timestamp(), moment.timestamp()))


def test_a_page_stands_for_an_hour_while_runs_find_nothing(ledger: Ledger, page: Path) -> None:
    now = ledgers.NOW.astimezone(UTC)
    _made_at(page, now)
    assert _stands(ledger, page, now)  # a ledger in which nothing ever happened
    _happened(ledger, "document.posted", now - _BEFORE)
    for minutes in range(5, 60, 5):
        _happened(ledger, "run.began", now + timedelta(minutes=minutes))
        _happened(ledger, "run.ended", now + timedelta(minutes=minutes))
        assert _stands(ledger, page, now + timedelta(minutes=minutes))
    assert not _stands(ledger, page, now + timedelta(hours=1))
    assert not _stands(ledger, page, now - timedelta(seconds=1))  # the clock was set back


@pytest.mark.parametrize("seconds", [600, 1, 0, -59])
def test_whatever_happens_ends_it(ledger: Ledger, page: Path, seconds: int) -> None:
    """What got its time shortly before the page was made may have been committed after that."""
    now = ledgers.NOW.astimezone(UTC)
    _made_at(page, now)
    _happened(ledger, "document.dismissed", now + timedelta(seconds=seconds))
    _happened(ledger, "run.began", now + timedelta(minutes=11))
    assert not _stands(ledger, page, now + timedelta(minutes=11))


def test_a_reconciliation_ends_it_too(ledger: Ledger, page: Path) -> None:
    now = ledgers.NOW.astimezone(UTC)
    _made_at(page, now)
    with ledger.write() as tx:
        reference.keep(tx, RECONCILIATION, {}, read_at=now - _BEFORE)
    assert _stands(ledger, page, now)
    with ledger.write() as tx:
        reference.keep(tx, RECONCILIATION, {}, read_at=now + _BEFORE)
    assert not _stands(ledger, page, now + 2 * _BEFORE)


def test_a_page_that_is_not_there_does_not_stand(ledger: Ledger, tmp_path: Path) -> None:
    assert not _stands(ledger, tmp_path / "report.html", ledgers.NOW)


def test_a_page_tells_of_the_moment_that_its_file_shows(
    made: Callable[[int], Made], settings: Settings, tmp_path: Path
) -> None:
    with closing(Ledger(f"sqlite:///{made(1).ledger}")) as filled:
        filled.open()
        page = tmp_path / "report.html"
        # Nothing happened in the half hour after the first page: it and its moment stay.
        for hours, told_of in ((1, 1), (1.5, 1), (2, 2)):
            renew_report(filled, settings, page, now=ledgers.NOW + timedelta(hours=hours))
            shown = datetime.fromtimestamp(page.stat().st_mtime, UTC)
            assert shown == ledgers.NOW + timedelta(hours=told_of)


def test_a_run_with_nothing_new_leaves_the_page_as_it_is(quiet: Programs, few: tuple[Message, ...]) -> None:
    page = quiet.directory / "output" / "report.html"
    rejected = [each for each in few if each.get("stream") in {"rejected_rows", "source_files"}]
    assert quiet.target(rejected).returncode == 0
    first = page.stat().st_mtime - _BEFORE.total_seconds()
    os.utime(page, (first, first))
    # What came is younger than a page of ten minutes ago.
    assert quiet.target([]).returncode == 0
    second = page.stat().st_mtime
    assert second > first
    # As if what it tells of were a while ago.
    moment = {"moment": utc_text(datetime.fromtimestamp(second, UTC) - _BEFORE)}
    with closing(Ledger(str(quiet.config["ledger_url"]))) as ledger:
        ledger.open()
        with ledger.write() as tx:
            tx.execute(text("UPDATE events SET at = :moment"), moment)
            tx.execute(text("UPDATE reference SET read_at = :moment"), moment)
    assert quiet.target([]).returncode == 0
    assert page.stat().st_mtime == second


def test_no_answer_in_it_looks_at_every_row(made: Callable[[int], Made], settings: Settings) -> None:
    """What is counted or added up stands in an index; the rows hold the documents themselves."""
    asked: list[tuple[str, Any]] = []
    with closing(Ledger(f"sqlite:///{made(1).ledger}")) as filled:
        filled.open()
        with filled.read() as tx:
            engine = tx.engine
            keep = lambda _c, _cursor, statement, parameters, *_: asked.append((statement, parameters))  # noqa: E731
            event.listen(engine, "before_cursor_execute", keep)
            gather(tx, settings, now=ledgers.NOW)
            event.remove(engine, "before_cursor_execute", keep)
            plans = {
                statement: [
                    row.detail
                    for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
                ]
                for statement, parameters in asked
                if "FROM documents" in statement
            }
    assert len(plans) > 10
    assert {statement: plan for statement, plan in plans.items() if any(map(_reads_most_rows, plan))} == {}


def _reads_most_rows(step: str) -> bool:
    """Whether a step of SQLite's plan goes to the rows themselves, all of them or all of a kind."""
    every = "SCAN documents" in step or step.endswith("(kind=?)")
    return every and "COVERING INDEX" not in step and "documents_noted" not in step
