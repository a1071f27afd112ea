"""A document as the ledger holds it, and who may change one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from target_infor_cloudsuite.ledger.states import Status, Step
from target_infor_cloudsuite.ledger.tables import documents

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from sqlalchemy import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A row of the ledger. Amounts are signed (credits negative); ``mapped`` is an accounting document."""

    id: int
    kind: str
    status: Status
    step: Step
    source_key: str | None
    content_hash: str | None
    m3_key: str | None
    folded_key: str | None
    company: str
    number: str
    vendor: str
    currency: str
    amount: Decimal | None
    document_date: str
    cono: int | None
    divi: str
    supplier: str
    payee: str
    raw: dict[str, Any]
    arrived_mapped: bool
    mapped: dict[str, Any] | None
    reasons: list[dict[str, Any]]
    notes: list[str]
    accepted: list[dict[str, str]]
    crosswalk_version: str
    program: str
    cori: str
    inbn: str
    voucher: str
    settled: bool
    statement_id: int | None
    statement_line: int | None
    other_id: int | None
    part_of: int | None
    source_file: str
    source_line: int
    source_mtime: str
    source_sha256: str
    claim_token: int
    run_id: str
    received_at: datetime
    updated_at: datetime

    @property
    def label(self) -> str:
        """How messages name it."""
        return f"{self.kind} {self.id} ({self.number or self.source_key or self.source_file})"


#: What a document is read from.
COLUMNS = [documents.c[name] for name in Document.__slots__]


def of_row(row: Row[Any]) -> Document:
    """A row of :data:`COLUMNS` as a document."""
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping
    values["status"] = Status(values["status"])
    values["step"] = Step(values["step"])
    return Document(**values)


@dataclass(frozen=True, slots=True)
class Hand:
    """Who changes something, in which run, and when: what every event needs to know."""

    actor: str
    at: datetime
    run_id: str = ""


@dataclass(frozen=True, slots=True)
class Worker:
    """One running target. ``name`` is unique among the living; leases are granted until ``lease_end``."""

    name: str
    lease_end: datetime = field(compare=False)


class ClaimLost(Exception):  # noqa: N818 - it names what happened
    """Another worker has taken the document over; what this one had to write about it must not be written."""
