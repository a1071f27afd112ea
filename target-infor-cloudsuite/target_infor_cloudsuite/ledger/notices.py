"""What people would want to be told of, and what they were told already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, func, insert, or_, select, update

from target_infor_cloudsuite.ledger.states import TROUBLE, Status
from target_infor_cloudsuite.ledger.tables import documents, files, notices, runs

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

    from target_infor_cloudsuite.ledger.store import Tx


@dataclass(frozen=True, slots=True)
class Waiting:
    """A document that waits for a person, as far as a message tells of it."""

    id: int
    kind: str
    status: str
    number: str
    vendor: str
    source_file: str
    reasons: list[dict[str, Any]]


def waiting(tx: Tx, *, review_since: datetime) -> Iterator[Waiting]:
    """What failed, is in doubt or was rejected, and what came before a moment and is in review."""
    columns = [documents.c[name] for name in Waiting.__slots__]
    in_trouble = documents.c.status.in_([status.value for status in TROUBLE])
    old = and_(documents.c.status == Status.REVIEW.value, documents.c.received_at <= review_since)
    for row in tx.execute(select(*columns).where(or_(in_trouble, old)).order_by(documents.c.id)):
        yield Waiting(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping


def last_received(tx: Tx) -> datetime | None:
    """When something last came in; where nothing ever did, when the first run began."""
    found = [
        tx.execute(select(func.max(column))).scalar_one_or_none()
        for column in (documents.c.received_at, files.c.received_at)
    ]
    first_run: datetime | None = tx.execute(select(func.min(runs.c.started_at))).scalar_one_or_none()
    return max(filter(None, found), default=first_run)


def told(tx: Tx) -> set[str]:
    """The subjects that people were told of."""
    return set(tx.execute(select(notices.c.subject)).scalars())


def tell(tx: Tx, subjects: Collection[str], *, at: datetime) -> None:
    """Note that people were told of these now."""
    for subject in subjects:
        noted = update(notices).where(notices.c.subject == subject).values(noted_at=at)
        if tx.execute(noted).rowcount == 0:
            tx.execute(insert(notices).values(subject=subject, noted_at=at))


def forget(tx: Tx, subjects: Collection[str]) -> None:
    """What is over is told again when it comes back."""
    for subject in subjects:
        tx.execute(delete(notices).where(notices.c.subject == subject))
