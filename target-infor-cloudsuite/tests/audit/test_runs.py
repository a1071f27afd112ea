"""The file of a run: the design's columns, safe in a spreadsheet, amounts as they are."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from target_infor_cloudsuite.audit import runs as audit_runs
from target_infor_cloudsuite.audit.files import AuditError
from target_infor_cloudsuite.audit.runs import neutral, write_run
from target_infor_cloudsuite.ledger import documents
from target_infor_cloudsuite.ledger.documents import Hand

if TYPE_CHECKING:
    from pathlib import Path

    from target_infor_cloudsuite.ledger import Ledger

HAND = Hand("tester", datetime(2026, 11, 22, 12, 0, tzinfo=UTC), "run1")
DESIGN = (
    "run_id, kind, company, cono, divi, supplier, number, currency, amount, status, reasons, inbn, voucher, "
    "source_file, source_line, at"
)


def add(ledger: Ledger, delivery: str, **values: Any) -> None:
    row = {"kind": "invoice", "status": "received", "delivery": delivery, "raw": {}}
    with ledger.write() as tx:
        documents.add(tx, hand=HAND, values=row | values)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_row_a_document_in_the_designs_columns(ledger: Ledger, tmp_path: Path) -> None:
    reasons = [{"code": "unbalanced"}, {"code": "not_approved"}]
    add(
        ledger,
        "1",
        status="review",
        company="NW-DE",
        cono=100,
        divi="AAA",
        supplier="10001",
        number="=cmd()",
        currency="EUR",
        amount=Decimal("-59.5"),
        reasons=reasons,
        source_file="/outbound/+a.csv",
        source_line=7,
    )
    add(ledger, "2", kind="payment", number="@P", currency="JPY", amount=Decimal(128000))
    path = write_run(ledger, tmp_path, "run1")
    assert path == tmp_path / "runs" / "run1.csv"
    first, second = rows(path)
    assert ", ".join(first) == DESIGN
    assert first == {
        "run_id": "run1",
        "kind": "invoice",
        "company": "NW-DE",
        "cono": "100",
        "divi": "AAA",
        "supplier": "10001",
        "number": "'=cmd()",
        "currency": "EUR",
        "amount": "-59.50",
        "status": "review",
        "reasons": "unbalanced; not_approved",
        "inbn": "",
        "voucher": "",
        "source_file": "/outbound/+a.csv",
        "source_line": "7",
        "at": "2026-11-22T12:00:00.000000+00:00",
    }
    assert (second["number"], second["amount"], second["cono"]) == ("'@P", "128000", "")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_no_cell_is_a_formula(text: str) -> None:
    assert neutral(text) == f"'{text}"
    assert neutral(f"x{text}") == f"x{text}"


def test_many_pages_and_a_run_of_nothing(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert write_run(ledger, tmp_path, "run1") is None
    assert not (tmp_path / "runs").exists()
    for number in range(7):
        add(ledger, str(number), number=f"N{number}")
    monkeypatch.setattr(audit_runs, "_PAGE", 3)
    path = write_run(ledger, tmp_path, "run1")
    assert path is not None
    assert [row["number"] for row in rows(path)] == [f"N{number}" for number in range(7)]
    assert write_run(ledger, tmp_path, "another run") is None


def test_a_folder_that_cannot_be_written_says_so(ledger: Ledger, tmp_path: Path) -> None:
    add(ledger, "1")
    (tmp_path / "runs").write_text("a file in the way", "utf-8")
    with pytest.raises(AuditError, match=r"run1.csv cannot be written.*in the ledger"):
        write_run(ledger, tmp_path, "run1")
