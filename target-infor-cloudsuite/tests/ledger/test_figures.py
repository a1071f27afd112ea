"""What the report asks of the ledger, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from target_infor_cloudsuite.ledger import documents, events, figures, reference, runs
from target_infor_cloudsuite.ledger.documents import Hand
from target_infor_cloudsuite.ledger.runs import totals
from target_infor_cloudsuite.ledger.states import NEXT, ON_THE_WAY, WAITING, Doubt, Status

if TYPE_CHECKING:
    import pytest
    from target_infor_cloudsuite.ledger import Ledger, Tx

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
EARLIER = NOW - timedelta(days=3)


def add(tx: Tx, number: int, status: Status = Status.RECEIVED, **values: Any) -> int:
    """A document as it came three days ago, in a status, with other columns."""
    at = values.pop("at", EARLIER)
    found = documents.add(
        tx,
        hand=Hand(actor="tester", at=at, run_id=values.pop("run_id", "run1")),
        values={
            "kind": "invoice",
            "status": status.value,
            "delivery": str(number),
            "company": "Acme",
            "currency": "EUR",
            "amount": Decimal("10.01"),
            "raw": {},
        }
        | values,
    )
    assert found is not None
    return found


def test_money_is_added_up_exactly_and_never_across_currencies(ledger: Ledger) -> None:
    huge = Decimal("99999999999999.9999")
    with ledger.write() as tx:
        for number in range(200):
            add(tx, number, amount=huge, currency="KWD")
        add(tx, 3000, Status.POSTED, amount=Decimal("-0.01"), currency="EUR")
        add(tx, 3001, Status.POSTED, amount=Decimal("0.03"), currency="EUR")
        add(tx, 3002, Status.POSTED, amount=None, currency="EUR")
        add(tx, 3003, Status.POSTED, company="Other", kind="payment", currency="USD")
        add(tx, 3004, Status.REJECTED, kind="vendor", company="Third")
    with ledger.read() as tx:
        assert figures.largest_companies(tx, 10) == (["Acme", "Other"], 2)
        assert figures.largest_companies(tx, 1) == (["Acme"], 2)
        found = {(each.currency, each.status): each.amount for each in figures.money(tx, ["Acme"])}
        assert found == {("KWD", "received"): 200 * huge, ("EUR", "posted"): Decimal("0.02")}
        assert [each.kind for each in figures.money(tx, ["Other"])] == ["payment"]
        assert figures.money(tx, []) == []
        assert totals(tx)["invoice"]["received"]["amounts"] == {"KWD": "19999999999999999.980"}


def test_days_are_utc_and_posted_counts_the_day_of_posting(ledger: Ledger) -> None:
    with ledger.write() as tx:
        add(tx, 1, at=NOW.replace(hour=0, minute=0))
        add(tx, 2, at=NOW.replace(hour=0, minute=0) - timedelta(microseconds=1))
        add(tx, 3, Status.REVIEW, at=NOW - timedelta(days=40))
        add(tx, 4, Status.POSTED)
    with ledger.read() as tx:
        assert figures.came_per_day(tx, NOW - timedelta(days=30)) == {
            "2026-11-19": 1,
            "2026-11-21": 1,
            "2026-11-22": 1,
        }
        assert figures.posted_per_day(tx, NOW - timedelta(days=30)) == {"2026-11-19": 1}
        assert figures.waiting_per_day(tx) == {"2026-10-13": 1}


def test_whatever_waits_is_read_once_in_order_whatever_its_number(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "_PAGE", 3)
    statuses = list(Status) * 2
    with ledger.write() as tx:
        ids = [add(tx, number, status) for number, status in enumerate(statuses)]
    wanted = [each for each, status in zip(ids, statuses, strict=True) if status in WAITING]
    with ledger.read() as tx:
        assert [each.id for each in figures.waiting(tx)] == wanted


def test_notes_are_found_by_how_they_begin(ledger: Ledger) -> None:
    near = ("Same amount: document", 'It says "100 %": document')
    notes = (
        ["Same amount: document 1."],
        ["x", 'It says "100 %": document 2.'],
        ["Not Same amount: document"],
    )
    with ledger.write() as tx:
        ids = [add(tx, number, notes=each) for number, each in enumerate(notes)]
        add(tx, 9, Status.DISMISSED, notes=notes[0])
    with ledger.read() as tx:
        assert figures.noted(tx, near[:1], 5) == ([ids[0]], 1)
        assert figures.noted(tx, ["100 %"], 5) == ([], 0)
        assert figures.noted(tx, ["Same amount", "x"], 1) == ([ids[1]], 2)


def test_runs_come_with_what_they_posted(ledger: Ledger) -> None:
    with ledger.write() as tx:
        for number in range(3):
            at = EARLIER + timedelta(hours=number)
            runs.begin(tx, f"run{number}", worker="w", at=at)
            add(tx, number, Status.POSTED, run_id=f"run{number}")
            add(tx, 10 + number, Status.REVIEW, run_id=f"run{number}")
        runs.end(tx, "run1", at=NOW, outcome="ended", requests=7, throttled=2)
        add(tx, 20, Status.POSTED, run_id="run2")
    with ledger.read() as tx:
        found = figures.newest_runs(tx, 2)
    assert [(each.id, each.posted, each.requests, each.ended_at) for each in found] == [
        ("run1", 1, 7, NOW),
        ("run2", 2, 0, None),
    ]


def test_each_doubt_counts_once_by_how_it_was_decided(ledger: Ledger) -> None:
    def told(tx: Tx, document_id: int, action: str, **details: Any) -> None:
        events.record(tx, action, at=NOW, actor="t", document_id=document_id, details=details)

    with ledger.write() as tx:
        for document_id, doubt in enumerate([*Doubt, Doubt.ADOPTED], start=1):
            told(tx, document_id, "document.in_doubt")
            told(tx, document_id, "doubt.looked")
            told(tx, document_id, "document.posting", doubt=doubt.value)
            told(tx, document_id, "document.posted")
        told(tx, 1, "document.in_doubt")
        told(tx, 9, "document.in_doubt")
        told(tx, 9, "document.failed")
        told(tx, 10, "document.posting", doubt="person")
    with ledger.read() as tx:
        assert figures.doubts(tx) == {Doubt.ADOPTED: 2, Doubt.RESENT: 2, Doubt.PERSON: 1, None: 1}


def test_the_rest_is_counted_too(ledger: Ledger) -> None:
    with ledger.write() as tx:
        add(tx, 1, Status.POSTED, kind="payment", settled=True, cono=100, divi="AAA", crosswalk_version="b")
        add(tx, 2, Status.POSTED, kind="payment", at=NOW, crosswalk_version="a")
        add(tx, 3, Status.FAILED, kind="payment")
        reference.keep_file(tx, {"_sdc_source_file": "/f.csv", "_sdc_source_sha256": "1"}, at=NOW)
        reference.keep_source_record(tx, "vendors", "V1", {}, at=NOW)
        for scope in ("company:200", "company:1", "catalog:3"):
            reference.keep(tx, scope, {}, read_at=NOW)
    with ledger.read() as tx:
        settled = [(each.settled, each.count, each.amount) for each in figures.settled(tx)]
        assert settled == [(False, 1, Decimal("10.01")), (True, 1, Decimal("10.01"))]
        assert figures.places(tx, ["Acme"], 5) == [("Acme", 100, "AAA")]
        assert [each.version for each in figures.crosswalk_versions(tx, 5)] == ["a", "b"]
        files, count = figures.newest_files(tx, 5)
        assert ([each.path for each in files], count) == (["/f.csv"], 1)
        assert figures.count_source_records(tx) == 1
        assert figures.kept_companies(tx) == [1, 200]


def test_the_standings_of_statuses_leave_none_out() -> None:
    assert not set(WAITING) & set(ON_THE_WAY)
    final = set(Status) - NEXT.keys()
    assert set(Status) - set(WAITING) - set(ON_THE_WAY) == final | {Status.DISMISSED}
