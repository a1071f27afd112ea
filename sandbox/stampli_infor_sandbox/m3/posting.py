"""From a batch to the AP ledger: validation, its error flags, the voucher; APS455MI.

INYR, the invoice year in the ledger's key, is the invoice date's year here (assumed; a tenant may take the
accounting date's).
"""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from stampli_infor_sandbox.m3.coding import DIMENSIONS, check_coding, check_tax_code
from stampli_infor_sandbox.m3.database import next_number, unit_of_work
from stampli_infor_sandbox.m3.errors import Nok, invalid, no_record

if TYPE_CHECKING:
    import sqlite3

    from stampli_infor_sandbox.m3.engine import M3, Call, Handler, Record

NEW = 10
WITH_ERRORS = 15
UNDER_VALIDATION = 20
POSTED = 90
_ACCOUNTING_LINE = 8


def totals(m3: M3, inbn: int) -> tuple[Decimal, Decimal]:
    """Net of the accounting lines, VAT of all lines."""
    net = tax = Decimal(0)
    for rdtp, fields in m3.connection.execute("SELECT rdtp, fields FROM batch_line WHERE inbn = ?", (inbn,)):
        line = json.loads(fields)
        if rdtp == _ACCOUNTING_LINE:
            net += Decimal(line.get("NLAM", "0"))
        tax += Decimal(line.get("VTA1", "0"))
    return net, tax


def is_complete(m3: M3, batch: sqlite3.Row) -> bool:
    """Whether the lines make up the head: net + VAT = CUAM and the lines' VAT = VTAM."""
    head = json.loads(batch["head"])
    net, tax = totals(m3, batch["inbn"])
    vtam = Decimal(head.get("VTAM", "0"))
    return "CUAM" in head and net + vtam == Decimal(head["CUAM"]) and tax == vtam


def post_or_flag(m3: M3, batch: sqlite3.Row) -> None:
    """Post the batch to the AP ledger, or flag what is wrong with it (SUPA 15, IBHE, IBLE)."""
    head = json.loads(batch["head"])
    head_error = _head_error(m3, batch, head)
    line_errors = _line_errors(m3, batch, head)
    m3.connection.execute("UPDATE batch_line SET ible = 0, error = '' WHERE inbn = ?", (batch["inbn"],))
    if head_error or line_errors:
        for trno, text in line_errors.items():
            m3.connection.execute(
                "UPDATE batch_line SET ible = 1, error = ? WHERE inbn = ? AND trno = ?",
                (text, batch["inbn"], trno),
            )
        m3.connection.execute(
            "UPDATE batch SET supa = ?, ibhe = ?, ible = ?, error = ?, validate_at = NULL WHERE inbn = ?",
            (WITH_ERRORS, bool(head_error), bool(line_errors),
             head_error or next(iter(line_errors.values())), batch["inbn"]),
        )  # fmt: skip
        return
    _post(m3, batch, head)


def _head_error(m3: M3, batch: sqlite3.Row, head: Record) -> str:
    if m3.master.supplier(batch["cono"], batch["suno"]).status == "90":
        return f"Supplier {batch['suno']} is blocked"
    known = m3.connection.execute(
        "SELECT vono FROM invoice"
        " WHERE cono = ? AND divi = ? AND spyn = ? AND sino = ? AND inyr = ? AND suno = ?",
        (batch["cono"], batch["divi"], batch["spyn"], batch["sino"], int(head["IVDT"][:4]), batch["suno"]),
    ).fetchone()
    if known is not None:
        return f"Invoice {batch['sino']} of {head['IVDT'][:4]} already exists (voucher {known['vono']})"
    if not is_complete(m3, batch):
        net, tax = totals(m3, batch["inbn"])
        wanted = f"CUAM {head.get('CUAM', '')}, VTAM {head.get('VTAM', '0')}"
        return f"{wanted} do not match lines {net}, VAT {tax}"
    return ""


def _line_errors(m3: M3, batch: sqlite3.Row, head: Record) -> dict[int, str]:
    errors: dict[int, str] = {}
    coded = "AIT1" in m3.tenant.transaction(batch["program"], "AddLine").inputs
    query = "SELECT trno, rdtp, fields FROM batch_line WHERE inbn = ?"
    for trno, rdtp, fields in m3.connection.execute(query, (batch["inbn"],)):
        line = json.loads(fields)
        try:
            check_tax_code(m3.master, batch["cono"], line.get("VTCD", ""))
            if coded and rdtp == _ACCOUNTING_LINE:
                coding = {n: line.get(f"AIT{n}", "") for n in DIMENSIONS}
                check_coding(m3.master, batch["cono"], batch["divi"], coding, head["ACDT"])
        except Nok as nok:
            errors[trno] = nok.message
    return errors


def _post(m3: M3, batch: sqlite3.Row, head: Record) -> None:
    year = int(head["ACDT"][:4])
    series = f"vono {batch['cono']} {batch['divi']} {year}"
    vono = next_number(m3.connection, series, 30000001)
    jrno = next_number(m3.connection, f"jrno {batch['cono']}", 500001)
    m3.connection.execute(
        "INSERT INTO invoice VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '0', ?, ?, ?, ?, ?, 'API', ?, ?, ?, ?, ?, ?)",
        (batch["cono"], batch["divi"], batch["spyn"], batch["suno"], batch["sino"], int(head["IVDT"][:4]),
         head["CUCD"], head["CUAM"], head.get("VTAM", "0"), head["IVDT"], head.get("DUDT", head["IVDT"]),
         head["ACDT"], head["TEPY"], head["PYME"], vono, year, jrno, m3.today(), batch["inbn"],
         head.get("CORI", "")),
    )  # fmt: skip
    m3.connection.execute(
        "UPDATE batch SET supa = ?, ibhe = 0, ible = 0, error = '', validate_at = NULL, vser = 'API',"
        " vono = ?, yea4 = ? WHERE inbn = ?",
        (POSTED, vono, year, batch["inbn"]),
    )


def validate_by_batch_number(m3: M3, call: Call) -> list[Record]:
    """Submit a batch for validation. OK means submitted, no more."""
    batch = m3.connection.execute(
        "SELECT * FROM batch WHERE inbn = ? AND cono = ? AND (? = '' OR divi = ?)",
        (call.number("INBN"), call.cono, call.divi, call.divi),
    ).fetchone()
    if batch is None:
        raise no_record(f"invoice batch {call.get('INBN')}", "INBN")
    if batch["supa"] in {UNDER_VALIDATION, POSTED}:
        raise invalid("INBN", f"Invoice batch {batch['inbn']} can't be validated (status {batch['supa']})")
    due = m3.clock() + timedelta(seconds=m3.validation_delay)
    m3.connection.execute(
        "UPDATE batch SET supa = ?, validate_at = ? WHERE inbn = ?",
        (UNDER_VALIDATION, due.timestamp(), batch["inbn"]),
    )
    m3.schedule(m3.validation_delay)
    return []


def finish_due(m3: M3) -> float | None:
    """Validate the batches whose time has come.

    Returns:
        Seconds until the next one, or None when none waits.
    """
    waiting = "SELECT * FROM batch WHERE supa = ? ORDER BY validate_at"
    now = m3.clock().timestamp()
    for batch in m3.connection.execute(waiting, (UNDER_VALIDATION,)).fetchall():
        if batch["validate_at"] > now:
            return float(batch["validate_at"] - now)
        with unit_of_work(m3.connection):
            post_or_flag(m3, batch)
    return None


TRANSACTIONS: dict[tuple[str, str], Handler] = {("APS455MI", "ValidByBatchNo"): validate_by_batch_number}
