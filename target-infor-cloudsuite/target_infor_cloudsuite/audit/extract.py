"""Extracts of the events for auditors: CSV that no spreadsheet runs, or JSON; by document and by time."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import IO, TYPE_CHECKING

from target_infor_cloudsuite.audit.runs import neutral
from target_infor_cloudsuite.audit.words import sentence, who
from target_infor_cloudsuite.ledger import documents, events
from target_infor_cloudsuite.ledger.types import canonical_json, utc_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from target_infor_cloudsuite.ledger import Tx
    from target_infor_cloudsuite.ledger.documents import Document
    from target_infor_cloudsuite.ledger.events import Event

COLUMNS = (
    "seq",
    "at",
    "who",
    "actor",
    "action",
    "document_id",
    "kind",
    "company",
    "number",
    "what_happened",
    "run_id",
    "details",
    "previous_hash",
    "hash",
    "key_id",
)

#: The events of a document stand close together.
_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events: of some documents (none: of all), from the first day (UTC) to the last, both included."""

    document_ids: tuple[int, ...] = ()
    first_day: date | None = None
    last_day: date | None = None


def write_csv(tx: Tx, wanted: Wanted, file: IO[str]) -> int:
    """Write a row an event; how many."""
    writer = csv.DictWriter(file, COLUMNS)
    writer.writeheader()
    known = lru_cache(_REMEMBERED)(partial(documents.get, tx))
    count = 0
    for count, event in enumerate(_chosen(tx, wanted), start=1):  # noqa: B007 - counted for the caller
        writer.writerow(
            {
                name: neutral(text)
                for name, text in _row(
                    event, None if event.document_id is None else known(event.document_id)
                ).items()
            }
        )
    return count


def write_json(tx: Tx, wanted: Wanted, file: IO[str]) -> int:
    """Write an array with an object an event: all of it, and what happened in words; how many."""
    count = 0
    file.write("[")
    for count, event in enumerate(_chosen(tx, wanted), start=1):
        words = {"hash": event.hash, "who": who(event), "what_happened": sentence(event)}
        content = json.loads(canonical_json(event.content() | words))
        file.write(("," if count > 1 else "") + "\n" + json.dumps(content, ensure_ascii=False))
    file.write("\n]\n")
    return count


def _chosen(tx: Tx, wanted: Wanted) -> Iterator[Event]:
    for event in events.chosen(tx, wanted.document_ids):
        day = event.at.date()
        if (wanted.first_day is None or day >= wanted.first_day) and (
            wanted.last_day is None or day <= wanted.last_day
        ):
            yield event


def _row(event: Event, document: Document | None) -> dict[str, str]:
    return {
        "seq": str(event.seq),
        "at": utc_text(event.at),
        "who": who(event),
        "actor": event.actor,
        "action": event.action,
        "document_id": "" if event.document_id is None else str(event.document_id),
        "kind": document.kind if document else "",
        "company": document.company if document else "",
        "number": document.number if document else "",
        "what_happened": sentence(event),
        "run_id": event.run_id,
        "details": canonical_json(event.details),
        "previous_hash": event.previous_hash,
        "hash": event.hash,
        "key_id": event.key_id,
    }
