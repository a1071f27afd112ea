"""What the ledger remembers of the mapping: its versions, who approved them, and confirmed name matches."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, update

from target_infor_cloudsuite.ledger.tables import confirmations, mapping_versions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.sql import ColumnElement

    from target_infor_cloudsuite.ledger.documents import Hand
    from target_infor_cloudsuite.ledger.store import Tx


@dataclass(frozen=True, slots=True)
class MappingVersion:
    """One version of the crosswalks.

    Attributes:
        version: SHA-256 (hex) of what the files say.
        content: each file's text by its name.
        kept_at: when the ledger first met it.
        proposed_by: the first of the two who sign, '' for nobody yet.
        proposed_at: when.
        approved_by: the second, '' for nobody yet.
        approved_at: when.
    """

    version: str
    content: Mapping[str, str]
    kept_at: datetime
    proposed_by: str
    proposed_at: datetime | None
    approved_by: str
    approved_at: datetime | None


_COLUMNS = [mapping_versions.c[name] for name in MappingVersion.__slots__]


def keep_version(tx: Tx, version: str, content: Mapping[str, str], *, at: datetime) -> None:
    """Keep a version's files, unless they are kept already."""
    known = select(mapping_versions.c.version).where(mapping_versions.c.version == version)
    if tx.execute(known).one_or_none() is None:
        tx.execute(insert(mapping_versions).values(version=version, content=dict(content), kept_at=at))


def version_named(tx: Tx, name: str) -> list[MappingVersion]:
    """The kept versions whose hash begins with ``name``."""
    return _versions(tx, mapping_versions.c.version.startswith(name, autoescape=True))


def approved_versions(tx: Tx) -> list[MappingVersion]:
    """The versions that two people approved, the last one last."""
    found = _versions(tx, mapping_versions.c.approved_at.is_not(None))
    return sorted(found, key=lambda each: (str(each.approved_at), each.version))


def sign(tx: Tx, version: str, *, hand: Hand, second: bool) -> None:
    """Write who signs a version: the first of the two proposes, the second approves."""
    signed = (
        {"approved_by": hand.actor, "approved_at": hand.at}
        if second
        else {"proposed_by": hand.actor, "proposed_at": hand.at}
    )
    tx.execute(update(mapping_versions).where(mapping_versions.c.version == version).values(**signed))


def _versions(tx: Tx, condition: ColumnElement[bool]) -> list[MappingVersion]:
    rows = tx.execute(select(*_COLUMNS).where(condition).order_by(mapping_versions.c.kept_at))
    return [MappingVersion(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name for a row


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """A match by name that a person confirmed.

    Attributes:
        cono: M3's company.
        vendor_key: what it is kept under; see `hints.confirmation_key`.
        supplier: M3's supplier number.
        vendor: the vendor as the document named it.
        confirmed_by: who.
        confirmed_at: when.
        document_id: the document that it was confirmed on; None where an earlier version did not keep that.
    """

    cono: int
    vendor_key: str
    supplier: str
    vendor: str
    confirmed_by: str
    confirmed_at: datetime
    document_id: int | None


_CONFIRMATION = [confirmations.c[name] for name in Confirmation.__slots__]


def confirm(tx: Tx, confirmation: Confirmation) -> None:
    """Remember that a vendor, as its key names it, is this supplier; the latest word counts."""
    take_back(tx, confirmation)
    tx.execute(insert(confirmations).values(**asdict(confirmation)))


def take_back(tx: Tx, confirmation: Confirmation) -> None:
    """Forget a confirmation: the vendor is as if nobody had ever confirmed it."""
    tx.execute(
        delete(confirmations).where(
            confirmations.c.cono == confirmation.cono, confirmations.c.vendor_key == confirmation.vendor_key
        )
    )


def confirmations_kept(tx: Tx) -> list[Confirmation]:
    """Every match by name that is confirmed, by company and vendor."""
    rows = tx.execute(select(*_CONFIRMATION).order_by(confirmations.c.cono, confirmations.c.vendor_key))
    return [Confirmation(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name for a row


def confirmed(tx: Tx) -> dict[tuple[int, str], str]:
    """(M3 company, vendor key) to the supplier that a person confirmed."""
    return {(each.cono, each.vendor_key): each.supplier for each in confirmations_kept(tx)}
