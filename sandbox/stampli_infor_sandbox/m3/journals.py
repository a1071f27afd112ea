"""GLS840MI: GL journals entered as an interface batch; they book, and settle no invoice.

The caller names the batch (KEY1) and numbers its lines (LINE), so what is there already is ``XRE0104``.
Nothing books before UpdBatch (option 9), which takes what CtrlBatch (option 6) has found sound. **Assumed**:
that a batch which is not controlled can't be updated, that an updated one takes nothing more, and that CUAM
stands without a sign beside DBCR. There is no transaction that lists or reads a batch.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING

from stampli_infor_sandbox.m3.amounts import amount
from stampli_infor_sandbox.m3.coding import DIMENSIONS, check_coding
from stampli_infor_sandbox.m3.errors import invalid, must_be_entered, no_record, record_exists, unknown
from stampli_infor_sandbox.m3.master import CURRENCY_DECIMALS

if TYPE_CHECKING:
    import sqlite3

    from stampli_infor_sandbox.m3.engine import M3, Call, Handler, Record

OPEN, CONTROLLED, UPDATED = 10, 60, 90


def add_head(m3: M3, call: Call) -> list[Record]:
    """Open a batch under a key of the caller's."""
    if _find(m3, call) is not None:
        raise record_exists(f"interface batch {call.get('KEY1')}", "KEY1")
    m3.connection.execute(
        "INSERT INTO journal (cono, divi, key1, intn, text) VALUES (?, ?, ?, ?, ?)",
        (call.cono, call.divi, call.get("KEY1"), call.get("INTN"), call.get("DESC")),
    )
    return [{"CONO": str(call.cono)}]


def add_line(m3: M3, call: Call) -> list[Record]:
    """Add a line under a number of the caller's; its coding and amount are checked."""
    batch = _open(m3, call)
    number = call.number("LINE")
    key = (call.cono, call.divi, batch["key1"], number)
    there = "SELECT 1 FROM journal_line WHERE cono = ? AND divi = ? AND key1 = ? AND line = ?"
    if m3.connection.execute(there, key).fetchone() is not None:
        raise record_exists(f"interface line {number}", "LINE")
    for name in ("CUCD", "CUAM", "ACDT"):
        if not call.get(name):
            raise must_be_entered(name)
    if call.get("CUCD") not in CURRENCY_DECIMALS:
        raise unknown("CUCD", f"Currency {call.get('CUCD')}")
    if call.get("DBCR") not in {"D", "C"}:
        raise invalid("DBCR", f"DBCR is D or C, not {call.get('DBCR')!r}")
    if amount(call.get("CUAM"), currency=call.get("CUCD"), field="CUAM") < 0:
        raise invalid("CUAM", "CUAM has no sign: DBCR tells")
    coding = {n: call.get(f"AIT{n}") for n in DIMENSIONS}
    check_coding(m3.master, call.cono, call.divi, coding, call.get("ACDT"))
    m3.connection.execute(
        "INSERT INTO journal_line VALUES (?, ?, ?, ?, ?)", (*key, json.dumps(dict(call.record)))
    )
    return []


def control(m3: M3, call: Call) -> list[Record]:
    """Check a batch: debit and credit balance in each currency."""
    batch = _open(m3, call)
    sums: dict[str, Decimal] = {}
    for line in lines_of(m3.connection, batch):
        value = Decimal(line["CUAM"]) * (1 if line["DBCR"] == "D" else -1)
        sums[line["CUCD"]] = sums.get(line["CUCD"], Decimal(0)) + value
    if not sums:
        raise invalid("KEY1", f"Interface batch {batch['key1']} has no lines")
    if any(sums.values()):
        raise invalid("KEY1", f"Interface batch {batch['key1']} does not balance: {sums}")
    _set(m3, batch, CONTROLLED)
    return [{"CONO": str(call.cono)}]


def update(m3: M3, call: Call) -> list[Record]:
    """Book a batch that was controlled."""
    batch = _open(m3, call)
    if batch["status"] != CONTROLLED:
        raise invalid("KEY1", f"Interface batch {batch['key1']} was not controlled")
    _set(m3, batch, UPDATED)
    return [{"CONO": str(call.cono)}]


def lines_of(connection: sqlite3.Connection, batch: sqlite3.Row) -> list[Record]:
    """A batch's lines as they came, in the order of their numbers."""
    rows = connection.execute(
        "SELECT fields FROM journal_line WHERE cono = ? AND divi = ? AND key1 = ? ORDER BY line",
        (batch["cono"], batch["divi"], batch["key1"]),
    )
    return [json.loads(row["fields"]) for row in rows]


def _set(m3: M3, batch: sqlite3.Row, status: int) -> None:
    m3.connection.execute(
        "UPDATE journal SET status = ? WHERE cono = ? AND divi = ? AND key1 = ?",
        (status, batch["cono"], batch["divi"], batch["key1"]),
    )


def _find(m3: M3, call: Call) -> sqlite3.Row | None:
    row: sqlite3.Row | None = m3.connection.execute(
        "SELECT * FROM journal WHERE cono = ? AND divi = ? AND key1 = ?",
        (call.cono, call.divi, call.get("KEY1")),
    ).fetchone()
    return row


def _open(m3: M3, call: Call) -> sqlite3.Row:
    batch = _find(m3, call)
    if batch is None:
        raise no_record(f"interface batch {call.get('KEY1')}", "KEY1")
    if batch["status"] == UPDATED:
        raise invalid("KEY1", f"Interface batch {batch['key1']} is updated and takes nothing more")
    return batch


TRANSACTIONS: dict[tuple[str, str], Handler] = {
    ("GLS840MI", "AddBatchHead"): add_head,
    ("GLS840MI", "AddBatchLineFld"): add_line,
    ("GLS840MI", "CtrlBatch"): control,
    ("GLS840MI", "UpdBatch"): update,
}
