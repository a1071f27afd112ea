"""What the report asks of the ledger: counted and added up by the database, so that no answer grows with it.

Amounts are signed sums of one currency each; days are ``2026-11-25`` in UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import String, and_, func, not_, or_, select, type_coerce

from target_infor_cloudsuite.ledger.states import ON_THE_WAY, WAITING, Doubt, Status
from target_infor_cloudsuite.ledger.sums import exact_sum, summed
from target_infor_cloudsuite.ledger.tables import (
    HAS_NOTES,
    documents,
    events,
    files,
    reference,
    runs,
    source_reference,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import datetime
    from decimal import Decimal

    from sqlalchemy import Column

    from target_infor_cloudsuite.ledger.store import Tx

_DAY = 10  # the length of 2026-11-22
_PAGE = 200
_DOUBTS = 10_000
_KINDS = ("invoice", "payment")
_WAITING = [status.value for status in WAITING]
_MOVING = [status.value for status in ON_THE_WAY]


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """What became of one kind of document of one Stampli company in one currency."""

    company: str
    kind: str
    currency: str
    status: str
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A document that waits for a person, as far as it is counted."""

    id: int
    received_at: datetime
    reasons: list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A run: what it cost, and the documents that it posted."""

    id: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str
    requests: int
    throttled: int
    posted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """Posted payments of one currency, and whether M3 shows their invoices as paid."""

    currency: str
    settled: bool
    count: int
    amount: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Crosswalks:
    """One version of the crosswalks: how many documents it mapped last, and when."""

    version: str
    count: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRow:
    """A file that the tap counted."""

    path: str
    stream: str
    counts: Mapping[str, Any]
    received_at: datetime


def largest_companies(tx: Tx, limit: int) -> tuple[list[str], int]:
    """The Stampli companies with the most documents, by name, and how many there are in all."""
    query = (
        select(documents.c.company)
        .where(documents.c.kind.in_(_KINDS))
        .group_by(documents.c.company)
        .order_by(func.count().desc(), documents.c.company)
        .limit(limit)
    )
    count = select(func.count(documents.c.company.distinct())).where(documents.c.kind.in_(_KINDS))
    return sorted(tx.execute(query).scalars()), int(tx.execute(count).scalar_one())


def money(tx: Tx, companies: Collection[str]) -> list[Money]:
    """Sums of these companies, by kind, currency and status; what has no amount is left out."""
    columns = (documents.c.company, documents.c.kind, documents.c.currency, documents.c.status)
    query = (
        select(*columns, *exact_sum(documents.c.amount))
        .where(documents.c.kind.in_(_KINDS), documents.c.company.in_(companies))
        .group_by(*columns)
        .order_by(*columns)
    )
    return [
        Money(company=row.company, kind=row.kind, currency=row.currency, status=row.status, amount=amount)
        for row in tx.execute(query)
        if (amount := summed(row)) is not None
    ]


def places(tx: Tx, companies: Collection[str], limit: int) -> list[tuple[str, int, str]]:
    """Which M3 company and division these companies' documents were mapped to: (company, CONO, DIVI)."""
    columns = (documents.c.company, documents.c.cono, documents.c.divi)
    query = (
        select(*columns)
        .where(
            documents.c.kind.in_(_KINDS),
            documents.c.company.in_(companies),
            documents.c.cono.is_not(None),
        )
        .distinct()
        .order_by(*columns)
        .limit(limit)
    )
    return [(row.company, row.cono, row.divi) for row in tx.execute(query)]


def came_per_day(tx: Tx, since: datetime) -> dict[str, int]:
    """Documents by the day on which they came."""
    return _per_day(tx, documents.c.received_at, since, documents.c.kind.in_(_KINDS))


def posted_per_day(tx: Tx, since: datetime) -> dict[str, int]:
    """Documents by the day on which they were posted: nothing changes one after that."""
    return _per_day(tx, documents.c.updated_at, since, documents.c.status == Status.POSTED.value)


def waiting_per_day(tx: Tx) -> dict[str, int]:
    """What waits for a person, by the day on which it came."""
    return _per_day(tx, documents.c.received_at, None, documents.c.status.in_(_WAITING))


def _per_day(tx: Tx, column: Column[Any], since: datetime | None, condition: Any) -> dict[str, int]:
    day = func.substr(type_coerce(column, String), 1, _DAY).label("day")
    query = select(day, func.count().label("documents")).where(condition).group_by(day)
    if since is not None:
        query = query.where(column >= since)
    return {row.day: row.documents for row in tx.execute(query)}


def waiting(tx: Tx) -> Iterator[Waiting]:
    """Everything that waits for a person, oldest first, read a page at a time."""
    after = 0
    while True:
        rows = tx.execute(
            select(documents.c.id, documents.c.received_at, documents.c.reasons)
            .where(documents.c.status.in_(_WAITING), documents.c.id > after)
            .order_by(documents.c.id)
            .limit(_PAGE)
        ).all()
        for row in rows:
            yield Waiting(id=row.id, received_at=row.received_at, reasons=row.reasons)
        if len(rows) < _PAGE:
            return
        after = rows[-1].id


def noted(tx: Tx, beginnings: Sequence[str], limit: int) -> tuple[list[int], int]:
    """The newest live documents with a note that begins like one of these, and how many there are."""
    notes = type_coerce(documents.c.notes, String)
    found = and_(
        HAS_NOTES,
        or_(*(notes.contains(f'{before}"{each}', autoescape=True) for each in beginnings for before in "[,")),
        not_(documents.c.status.in_([Status.SUPERSEDED.value, Status.DISMISSED.value])),
    )
    newest = select(documents.c.id).where(found).order_by(documents.c.id.desc()).limit(limit)
    count = select(func.count()).select_from(documents).where(found)
    return list(tx.execute(newest).scalars()), int(tx.execute(count).scalar_one())


def newest_runs(tx: Tx, limit: int) -> list[RunRow]:
    """The newest runs, oldest of them first."""
    found = tx.execute(select(runs).order_by(runs.c.started_at.desc(), runs.c.id).limit(limit)).all()
    query = (
        select(documents.c.run_id, func.count().label("documents"))
        .where(documents.c.run_id.in_([row.id for row in found]), documents.c.status == Status.POSTED.value)
        .group_by(documents.c.run_id)
    )
    posted = {row.run_id: row.documents for row in tx.execute(query)}
    return [
        RunRow(
            id=row.id,
            started_at=row.started_at,
            ended_at=row.ended_at,
            outcome=row.outcome,
            requests=row.requests,
            throttled=row.throttled,
            posted=posted.get(row.id, 0),
        )
        for row in reversed(found)
    ]


def doubts(tx: Tx) -> dict[Doubt | None, int]:
    """The newest 10,000 times that a document came into doubt, by how that was decided; None: not yet."""
    episodes = (
        select(events.c.seq, events.c.document_id)
        .where(events.c.action == f"document.{Status.IN_DOUBT}")
        .order_by(events.c.seq.desc())
        .limit(_DOUBTS)
        .subquery()
    )
    left = events.alias()
    next_seq = (
        select(func.min(left.c.seq))
        .where(
            left.c.document_id == episodes.c.document_id,
            left.c.seq > episodes.c.seq,
            left.c.action.startswith("document.", autoescape=True),
        )
        .scalar_subquery()
    )
    ends = select(events.c.details).select_from(episodes.outerjoin(events, events.c.seq == next_seq))
    found: dict[Doubt | None, int] = {}
    for details in tx.execute(ends).scalars():
        # What M3 refused when it was sent again left no word of its own.
        decided = None if details is None else Doubt(details.get("doubt", Doubt.RESENT))
        found[decided] = found.get(decided, 0) + 1
    return found


def settled(tx: Tx) -> list[Settled]:
    """Posted payments by currency, and by whether M3 shows them as settling their invoices."""
    columns = (documents.c.currency, documents.c.settled)
    query = (
        select(*columns, func.count().label("documents"), *exact_sum(documents.c.amount))
        .where(documents.c.kind == "payment", documents.c.status == Status.POSTED.value)
        .group_by(*columns)
        .order_by(*columns)
    )
    return [
        Settled(currency=row.currency, settled=row.settled, count=row.documents, amount=summed(row))
        for row in tx.execute(query)
    ]


def crosswalk_versions(tx: Tx, limit: int) -> list[Crosswalks]:
    """The versions of the crosswalks that documents were mapped with, newest first."""
    last = func.max(documents.c.updated_at)
    query = (
        select(
            documents.c.crosswalk_version,
            func.count().label("documents"),
            func.min(documents.c.updated_at).label("first"),
            last.label("last"),
        )
        .where(documents.c.crosswalk_version != "")
        .group_by(documents.c.crosswalk_version)
        .order_by(last.desc())
        .limit(limit)
    )
    return [
        Crosswalks(version=row.crosswalk_version, count=row.documents, first_at=row.first, last_at=row.last)
        for row in tx.execute(query)
    ]


def newest_files(tx: Tx, limit: int) -> tuple[list[FileRow], int]:
    """The files that came last, newest first, and how many there are."""
    query = select(files).order_by(files.c.received_at.desc(), files.c.path).limit(limit)
    found = [
        FileRow(path=row.path, stream=row.stream, counts=row.counts, received_at=row.received_at)
        for row in tx.execute(query)
    ]
    return found, int(tx.execute(select(func.count()).select_from(files)).scalar_one())


def count_source_records(tx: Tx) -> int:
    """How many vendors and GL accounts Stampli exported."""
    return int(tx.execute(select(func.count()).select_from(source_reference)).scalar_one())


def kept_companies(tx: Tx) -> list[int]:
    """The M3 companies whose reference data is kept."""
    query = select(reference.c.scope).where(reference.c.scope.startswith("company:", autoescape=True))
    return sorted(int(scope.partition(":")[2]) for scope in tx.execute(query).scalars())
