"""What the ledger remembers of the mapping: its versions, who approved them, and confirmed name matches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update

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


def confirm(  # noqa: PLR0913 - a confirmation's row, column by column
    tx: Tx, *, cono: int, vendor_key: str, supplier: str, vendor: str, hand: Hand
) -> None:
    """Remember that a vendor, as its key names it, is this supplier; the latest word counts."""
    where = (confirmations.c.cono == cono, confirmations.c.vendor_key == vendor_key)
    values = {"supplier": supplier, "vendor": vendor, "confirmed_by": hand.actor, "confirmed_at": hand.at}
    if tx.execute(update(confirmations).where(*where).values(**values)).rowcount == 0:
        tx.execute(insert(confirmations).values(cono=cono, vendor_key=vendor_key, **values))


def confirmed(tx: Tx) -> dict[tuple[int, str], str]:
    """(M3 company, vendor key) to the supplier that a person confirmed."""
    rows = tx.execute(select(confirmations.c.cono, confirmations.c.vendor_key, confirmations.c.supplier))
    return {(row.cono, row.vendor_key): row.supplier for row in rows}
