"""``runs/<run>.csv``: what a run did, a row a document, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from target_infor_cloudsuite.audit.files import AuditError
from target_infor_cloudsuite.ledger import documents
from target_infor_cloudsuite.ledger.runs import plain_amount
from target_infor_cloudsuite.ledger.types import utc_text

if TYPE_CHECKING:
    from pathlib import Path

    from target_infor_cloudsuite.ledger import Ledger
    from target_infor_cloudsuite.ledger.documents import Document

COLUMNS = (
    "run_id",
    "kind",
    "company",
    "cono",
    "divi",
    "supplier",
    "number",
    "currency",
    "amount",
    "status",
    "reasons",
    "inbn",
    "voucher",
    "source_file",
    "source_line",
    "at",
)
#: A cell that begins with one of these is a formula to a spreadsheet.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_PAGE = 1000


def neutral(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def write_run(ledger: Ledger, output_dir: Path, run_id: str) -> Path | None:
    """Write the file of a run; None where the run touched no document.

    Raises:
        AuditError: The folder cannot be written.
    """
    path = output_dir / "runs" / f"{run_id}.csv"
    try:
        return _write(ledger, path, run_id)
    except OSError as fault:
        raise AuditError(
            f"The run's file {path} cannot be written: {fault.strerror or fault}. What was done is in the "
            "ledger; give the folder room and the right to write."
        ) from fault


def _write(ledger: Ledger, path: Path, run_id: str) -> Path | None:
    after = 0
    with ledger.read() as tx:
        page = documents.find(tx, run_id=run_id, limit=_PAGE)
        if not page:
            return None
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            while page:
                writer.writerows(_row(run_id, document) for document in page)
                after = page[-1].id
                page = documents.find(tx, run_id=run_id, after=after, limit=_PAGE)
    return path


def _row(run_id: str, document: Document) -> list[str]:
    texts = {
        "run_id": run_id,
        "kind": document.kind,
        "company": document.company,
        "cono": "" if document.cono is None else str(document.cono),
        "divi": document.divi,
        "supplier": document.supplier,
        "number": document.number,
        "currency": document.currency,
        "status": document.status.value,
        "reasons": "; ".join(each["code"] for each in document.reasons),
        "inbn": document.inbn,
        "voucher": document.voucher,
        "source_file": document.source_file,
        "source_line": str(document.source_line),
        "at": utc_text(document.updated_at),
    }
    safe = {name: neutral(text) for name, text in texts.items()}
    # An amount is a number we wrote ourselves; a leading minus is its sign and no formula.
    safe["amount"] = "" if document.amount is None else plain_amount(document.amount, document.currency)
    return [safe[name] for name in COLUMNS]
