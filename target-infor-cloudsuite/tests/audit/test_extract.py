"""What happened in words, and extracts for an auditor."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from target_infor_cloudsuite.audit import words
from target_infor_cloudsuite.audit.extract import COLUMNS, Wanted, write_csv, write_json
from target_infor_cloudsuite.audit.words import sentence, who
from target_infor_cloudsuite.ledger import documents, events
from target_infor_cloudsuite.ledger.documents import Hand
from target_infor_cloudsuite.ledger.events import Event
from target_infor_cloudsuite.ledger.states import Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_infor_cloudsuite.ledger import Ledger

BEGIN = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def event(action: str, details: dict[str, Any], actor: str = "Erika") -> Event:
    return Event(1, BEGIN, actor, action, 7, "r1", details, events.GENESIS, "")


def test_every_status_has_words() -> None:
    assert set(words._STATUS_WORDS) == {f"document.{status}" for status in Status}


def test_every_event_that_the_program_writes_has_words() -> None:
    folder = Path(words.__file__).parents[1]
    texts = "".join(path.read_text("utf-8") for path in folder.rglob("*.py") if path.name != "words.py")
    # The action is the first text in the call; tx stands before it.
    found = set(re.findall(r'(?:record|event)\(\s*tx,\s*"([a-z0-9]+\.[a-z_]+)"', texts))
    assert {"run.began", "document.divided", "ledger.purged"} <= found
    found |= {"m3.write", "mapping.proposed"}  # written another way
    assert not {action for action in found if sentence(event(action, {})).startswith(f"{action}:")}


@pytest.mark.parametrize(
    ("action", "details", "told"),
    [
        (
            "document.received",
            {"source_file": "/outbound/a.csv", "source_line": 7},
            "Came in: /outbound/a.csv, line 7.",
        ),
        (
            "m3.write",
            {"program": "APS100MI", "transaction": "AddLine", "position": 2, "outcome": "refused"}
            | {"code": "WAI0103", "field": "AIT1", "text": "Account 9 does not exist"},
            "Sent APS100MI/AddLine for line 2 to M3: refused. WAI0103 AIT1 Account 9 does not exist",
        ),
        (
            "m3.write",
            {"program": "APS100MI", "transaction": "AddHead", "outcome": "done", "records": [{"INBN": "1"}]},
            "Sent APS100MI/AddHead to M3: done: INBN 1.",
        ),
        (
            "document.dismissed",
            {"from": "review", "why": "paid by hand"},
            "Dismissed: it will not be posted. paid by hand.",
        ),
        ("document.posted", {"inbn": "12", "voucher": "9"}, "Posted (batch 12; voucher 9)."),
        ("doubt.looked", {"found": "no batch"}, "M3 was asked: no batch."),
        ("something.else", {"why": "unknown"}, "something.else: unknown."),
    ],
)
def test_an_event_in_words(action: str, details: dict[str, Any], told: str) -> None:
    assert sentence(event(action, details)) == told


def test_who_is_a_person_or_the_pipeline() -> None:
    assert who(event("x", {})) == "Erika"
    assert {who(event("x", {}, name)) for name in ("target", "target host/12/34/ab")} == {"the pipeline"}


def test_extracts_by_document_and_day(ledger: Ledger, happen: Callable[..., None]) -> None:
    happen(10)
    hand = Hand("=HYPERLINK(1)", BEGIN)
    values = {"kind": "invoice", "status": "received", "delivery": "1", "raw": {}, "number": "+49"}
    with ledger.write() as tx:
        document_id = documents.add(tx, hand=hand, values=values)
    assert document_id is not None
    for wanted, seqs in (
        (Wanted(), list(range(1, 12))),
        (Wanted((document_id,)), [11]),
        (Wanted(first_day=date(2026, 11, 21), last_day=date(2026, 11, 21)), [4, 5, 6, 7]),
        (Wanted((document_id,), first_day=date(2026, 11, 21)), []),
    ):
        as_csv, as_json = io.StringIO(newline=""), io.StringIO()
        with ledger.read() as tx:
            assert write_csv(tx, wanted, as_csv) == write_json(tx, wanted, as_json) == len(seqs)
        rows = list(csv.DictReader(io.StringIO(as_csv.getvalue(), newline="")))
        assert [int(row["seq"]) for row in rows] == seqs
        objects = json.loads(as_json.getvalue())
        assert [each["seq"] for each in objects] == seqs
        for row, each in zip(rows, objects, strict=True):
            assert tuple(row) == COLUMNS
            assert not any(str(cell).startswith(("=", "+", "-", "@")) for cell in row.values())
            assert json.loads(row["details"]) == each["details"]
            assert row["what_happened"] == each["what_happened"]
    assert (rows, objects) == ([], [])
