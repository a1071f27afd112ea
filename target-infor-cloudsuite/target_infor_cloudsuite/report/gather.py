"""Everything the report says, asked of the ledger in one transaction: all of it is true of one moment."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from target_infor_cloudsuite.ledger import documents, reference
from target_infor_cloudsuite.ledger import figures as ledger_figures
from target_infor_cloudsuite.ledger.runs import totals as all_totals
from target_infor_cloudsuite.ledger.states import Doubt
from target_infor_cloudsuite.posting.neighbours import NEAR_NOTES
from target_infor_cloudsuite.reconciliation import SCOPE as RECONCILIATION
from target_infor_cloudsuite.report import waiting, words
from target_infor_cloudsuite.report.alignment import alignments
from target_infor_cloudsuite.report.figures import (
    Day,
    Doubts,
    Figures,
    NearDocument,
    ReconciliationFigures,
    RunFigures,
)
from target_infor_cloudsuite.report.money import by_currency

if TYPE_CHECKING:
    from target_infor_cloudsuite.ledger import Tx
    from target_infor_cloudsuite.ledger.documents import Document
    from target_infor_cloudsuite.ledger.figures import RunRow
    from target_infor_cloudsuite.settings import Settings

DAYS_SHOWN: Final = 30
RUNS_SHOWN: Final = 30
NEAR_SHOWN: Final = 8
_FILES_SHOWN = 8
_DIFFERENCES_SHOWN = 8
_NOTES_SHOWN = 4
_VERSIONS_SHOWN = 5
_MINUTE = 60


def gather(tx: Tx, settings: Settings, *, now: datetime) -> Figures:
    """Read the figures; ``now`` is aware."""
    now = now.astimezone(UTC)
    found = all_totals(tx)
    near, near_total = ledger_figures.noted(tx, NEAR_NOTES, NEAR_SHOWN)
    currencies, currencies_more, companies_more = by_currency(tx, found)
    aligned, alignment_fault = alignments(tx, settings, now.date())
    quota = int(settings["requests_per_minute"])
    files, files_total = ledger_figures.newest_files(tx, _FILES_SHOWN)
    return Figures(
        made_at=now,
        statuses={
            kind: {status: entry["count"] for status, entry in statuses.items()}
            for kind, statuses in found.items()
        },
        groups=waiting.groups(tx),
        ages=waiting.ages(ledger_figures.waiting_per_day(tx), now.date()),
        currencies=currencies,
        currencies_more=currencies_more,
        companies_more=companies_more,
        days=_days(tx, now),
        runs=tuple(_run(each, quota) for each in ledger_figures.newest_runs(tx, RUNS_SHOWN)),
        requests_per_minute=quota,
        settled=tuple(ledger_figures.settled(tx)),
        doubts=_doubts(tx),
        reconciliation=_reconciliation(tx),
        near=tuple(_near(each) for each in reversed(documents.having(tx, near))),
        near_total=near_total,
        alignments=aligned,
        alignment_fault=alignment_fault,
        crosswalks=tuple(ledger_figures.crosswalk_versions(tx, _VERSIONS_SHOWN)),
        files=tuple(files),
        files_total=files_total,
    )


def _days(tx: Tx, now: datetime) -> tuple[Day, ...]:
    first = now.date() - timedelta(days=DAYS_SHOWN - 1)
    since = datetime.combine(first, time(), UTC)
    came: dict[str, int] = defaultdict(int, ledger_figures.came_per_day(tx, since))
    posted: dict[str, int] = defaultdict(int, ledger_figures.posted_per_day(tx, since))
    days = [first + timedelta(days=number) for number in range(DAYS_SHOWN)]
    return tuple(Day(day=day, came=came[day.isoformat()], posted=posted[day.isoformat()]) for day in days)


def _run(row: RunRow, quota: int) -> RunFigures:
    seconds = None if row.ended_at is None else max(0.0, (row.ended_at - row.started_at).total_seconds())
    allowed = None if seconds is None else quota * max(seconds, _MINUTE) / _MINUTE
    return RunFigures(
        id=row.id,
        started_at=row.started_at,
        seconds=seconds,
        outcome=row.outcome,
        posted=row.posted,
        requests=row.requests,
        throttled=row.throttled,
        quota_percent=None if allowed is None else round(100 * row.requests / allowed, 1),
    )


def _doubts(tx: Tx) -> Doubts:
    found = ledger_figures.doubts(tx)
    return Doubts(
        adopted=found.get(Doubt.ADOPTED, 0),
        resent=found.get(Doubt.RESENT, 0),
        person=found.get(Doubt.PERSON, 0),
        undecided=found.get(None, 0),
    )


def _reconciliation(tx: Tx) -> ReconciliationFigures | None:
    kept = reference.kept(tx, RECONCILIATION)
    if kept is None:
        return None
    found, at = kept
    return ReconciliationFigures(
        at=at,
        since=None if found["since"] is None else datetime.fromisoformat(found["since"]),
        differences=len(found["differences"]),
        texts=tuple(words.text(each["text"]) for each in found["differences"][:_DIFFERENCES_SHOWN]),
    )


def _near(document: Document) -> NearDocument:
    notes = [words.text(each) for each in document.notes if each.startswith(NEAR_NOTES)]
    return NearDocument(
        id=document.id,
        status=document.status.value,
        number=words.name(document.number),
        vendor=words.name(document.vendor),
        currency=document.currency,
        amount=document.amount,
        notes=tuple(notes[:_NOTES_SHOWN]),
    )
