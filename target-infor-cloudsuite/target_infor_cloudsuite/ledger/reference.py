"""What was read elsewhere and is kept: M3's reference data, Stampli's own lists, the tap's file counts."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, literal, select, union, update
from stampli_infor_transforms.values import text_of

from target_infor_cloudsuite.ledger.tables import documents, files, reference, source_reference

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from target_infor_cloudsuite.ledger.store import Tx

_log = logging.getLogger(__name__)
_SHA256_LENGTH, _STREAM_LENGTH = 64, 32


def keep(tx: Tx, scope: str, content: Any, *, read_at: datetime) -> None:
    """Keep what was read from M3 under a scope such as ``company:100``, in place of what stood there."""
    values = {"content": content, "read_at": read_at}
    changed = tx.execute(update(reference).where(reference.c.scope == scope).values(**values))
    if changed.rowcount == 0:
        tx.execute(insert(reference).values(scope=scope, **values))


def kept(tx: Tx, scope: str) -> tuple[Any, datetime] | None:
    """What is kept under a scope, and when it was read."""
    row = tx.execute(
        select(reference.c.content, reference.c.read_at).where(reference.c.scope == scope)
    ).one_or_none()
    return None if row is None else (row.content, row.read_at)


def read_at(tx: Tx, scope: str) -> datetime | None:
    """When what is kept under a scope was read, without loading it: it may be large."""
    return tx.execute(select(reference.c.read_at).where(reference.c.scope == scope)).scalar_one_or_none()


def last_kept(tx: Tx) -> datetime | None:
    """When M3 was last read for anything that is kept; None where nothing is."""
    found: datetime | None = tx.execute(select(func.max(reference.c.read_at))).scalar_one_or_none()
    return found


def keep_source_record(
    tx: Tx, stream: str, reference_key: str, record: Mapping[str, Any], *, at: datetime
) -> bool:
    """Keep one of Stampli's vendors or GL accounts; whether it is new or differs from what was kept."""
    where = (source_reference.c.stream == stream, source_reference.c.reference_key == reference_key)
    row = tx.execute(select(source_reference.c.record).where(*where)).one_or_none()
    if row is not None and _without_origin(row.record) == _without_origin(record):
        return False
    if row is None:
        tx.execute(
            insert(source_reference).values(
                stream=stream, reference_key=reference_key, record=dict(record), updated_at=at
            )
        )
    else:
        tx.execute(update(source_reference).where(*where).values(record=dict(record), updated_at=at))
    return True


def source_records(tx: Tx, stream: str) -> list[dict[str, Any]]:
    """Stampli's vendors or GL accounts as last exported, in the order of their keys."""
    rows = tx.execute(
        select(source_reference.c.record)
        .where(source_reference.c.stream == stream)
        .order_by(source_reference.c.reference_key)
    )
    return [dict(row.record) for row in rows]


def _without_origin(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if not name.startswith("_sdc_")}


def keep_file(tx: Tx, record: Mapping[str, Any], *, at: datetime) -> bool:
    """Keep the tap's count of a file; whether this content of this file is new here.

    A record that names no file counts nothing, and is passed over with a warning.
    """
    path = text_of(record.get("_sdc_source_file"))
    sha256 = (text_of(record.get("_sdc_source_sha256")) or "")[:_SHA256_LENGTH]
    if not path:
        _log.warning("A record of source_files names no file (_sdc_source_file) and was passed over.")
        return False
    known = tx.execute(
        select(files.c.path).where(files.c.path == path, files.c.sha256 == sha256)
    ).one_or_none()
    if known is not None:
        return False
    tx.execute(
        insert(files).values(
            path=path,
            sha256=sha256,
            stream=(text_of(record.get("stream")) or "")[:_STREAM_LENGTH],
            counts=dict(record),
            received_at=at,
        )
    )
    return True


def counted_files(tx: Tx, *, since: datetime | None = None) -> list[Mapping[str, Any]]:
    """The tap's own counts of the files that came (records of ``source_files``), from a moment on."""
    query = select(files.c.counts).order_by(files.c.path, files.c.sha256)
    if since is not None:
        query = query.where(files.c.received_at >= since)
    return list(tx.execute(query).scalars())


def never_received(tx: Tx) -> bool:
    """Whether nothing ever came here: no file was counted, and there is no document."""
    first = [select(literal(1)).select_from(table).limit(1) for table in (files, documents)]
    return not any(tx.execute(query).first() for query in first)


def files_seen(tx: Tx) -> set[str]:
    """The paths of all files that were ever counted here, or of which a document came.

    A member of a zip is told as ``path!member``: the zip's own path is among them, too.
    """
    told = set(tx.execute(union(select(files.c.path), select(documents.c.source_file))).scalars())
    return told | {path[:at] for path in told for at, sign in enumerate(path) if sign == "!"}
