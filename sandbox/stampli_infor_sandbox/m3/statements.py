"""ABS100MI: bank statements, the road by which a payment made elsewhere settles AP invoices.

Lines and details are numbered by the caller (BLSN, BLSS). Nothing books before ValidateStatmt, which checks
the whole statement and books all of it or none. Money out is negative in BLLF and BLNF (assumed).
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from stampli_infor_sandbox.m3.amounts import amount
from stampli_infor_sandbox.m3.database import next_number
from stampli_infor_sandbox.m3.errors import invalid, must_be_entered, no_record, record_exists, unknown
from stampli_infor_sandbox.m3.master import CURRENCY_DECIMALS

if TYPE_CHECKING:
    import sqlite3

    from stampli_infor_sandbox.m3.engine import M3, Call, Handler, Record
    from stampli_infor_sandbox.m3.master import Bank


def get_bank(m3: M3, call: Call) -> list[Record]:
    """A bank identifier."""
    bank = _bank(m3, call)
    return [{"CONO": str(bank.cono), "DIVI": bank.divi, "BSID": bank.bsid, "BKID": bank.bkid, "STAT": "20"}]


def add_head(m3: M3, call: Call) -> list[Record]:
    """Open a statement; JBNO, JBDT and JBTM are its key. There is no list of statements."""
    bank = _bank(m3, call)
    currency = call.get("CUCD")
    if currency not in CURRENCY_DECIMALS:
        raise unknown("CUCD", f"Currency {currency}")
    if bank.currency and bank.currency != currency:
        raise invalid("CUCD", f"Bank {bank.bsid} is kept in {bank.currency}, not {currency}")
    jbno = next_number(m3.connection, "jbno", 100001)
    now = m3.clock()
    jbdt, jbtm = now.strftime("%y%m%d"), now.strftime("%H%M%S")
    m3.connection.execute(
        "INSERT INTO statement (cono, divi, jbno, jbdt, jbtm, bsty, stmn, bsid, cucd)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (call.cono, call.divi, jbno, jbdt, jbtm, call.get("BSTY"), call.get("STMN"), bank.bsid, currency),
    )
    return [
        {"CONO": str(call.cono), "DIVI": call.divi, "JBNO": str(jbno), "JBDT": jbdt, "JBTM": jbtm},
    ]


def add_line(m3: M3, call: Call) -> list[Record]:
    """Add a line; a BLSN that is there is ``XRE0104``."""
    statement = _open_statement(m3, call)
    blsn = call.number("BLSN")
    if _line(m3, statement, blsn) is not None:
        raise record_exists(f"statement line {blsn}", "BLSN")
    if call.get("SPYN"):
        m3.master.supplier(call.cono, call.get("SPYN"), "SPYN")
    if call.get("CUCD") not in {"", statement["cucd"]}:
        raise invalid("CUCD", f"The statement is in {statement['cucd']}, not {call.get('CUCD')}")
    amount(call.get("BLLF"), currency=statement["cucd"], field="BLLF")
    m3.connection.execute(
        "INSERT INTO statement_line VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (call.cono, call.divi, statement["jbno"], blsn, call.get("SPYN"), call.get("BLLF"), call.get("ABNO"),
         call.get("CURD")),
    )  # fmt: skip
    return [{"CONO": str(call.cono), "DIVI": call.divi, "BLSN": str(blsn)}]


def add_detail(m3: M3, call: Call) -> list[Record]:
    """Add a detail to a line; a BLSS that is there is ``XRE0104``. The invoice is looked up at validation."""
    statement = _open_statement(m3, call)
    blsn, blss = call.number("BLSN"), call.number("BLSS")
    if _line(m3, statement, blsn) is None:
        raise no_record(f"statement line {blsn}", "BLSN")
    key = (call.cono, call.divi, statement["jbno"], blsn, blss)
    there = m3.connection.execute(
        "SELECT 1 FROM statement_detail WHERE cono = ? AND divi = ? AND jbno = ? AND blsn = ? AND blss = ?",
        key,
    ).fetchone()
    if there is not None:
        raise record_exists(f"statement detail {blsn}/{blss}", "BLSS")
    if not call.get("BLNF"):
        raise must_be_entered("BLNF")
    amount(call.get("BLNF"), currency=statement["cucd"], field="BLNF")
    m3.connection.execute(
        "INSERT INTO statement_detail VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*key, call.get("ODIV") or call.divi, call.get("SINO"), call.number("INYR"), call.get("BLNF"),
         call.get("IRNO")),
    )  # fmt: skip
    return [{"CONO": str(call.cono), "DIVI": call.divi, "BLSN": str(blsn), "BLSS": str(blss)}]


def validate(m3: M3, call: Call) -> list[Record]:
    """Check the whole statement and settle its invoices: all of it, or NOK and none."""
    statement = _open_statement(m3, call)
    key = (call.cono, call.divi, statement["jbno"])
    lines = m3.connection.execute(
        "SELECT * FROM statement_line WHERE cono = ? AND divi = ? AND jbno = ? ORDER BY blsn", key
    ).fetchall()
    if not lines:
        raise invalid("JBNO", f"Statement {statement['jbno']} has no lines")
    for line in lines:
        details = m3.connection.execute(
            "SELECT * FROM statement_detail WHERE cono = ? AND divi = ? AND jbno = ? AND blsn = ?"
            " ORDER BY blss",
            (*key, line["blsn"]),
        ).fetchall()
        total = sum((Decimal(d["blnf"]) for d in details), Decimal(0))
        if total != Decimal(line["bllf"]):
            raise invalid("BLLF", f"Line {line['blsn']} is {line['bllf']}, its details make {total}")
        for detail in details:
            _settle(m3, statement, line, detail)
    m3.connection.execute("UPDATE statement SET validated = 1 WHERE cono = ? AND divi = ? AND jbno = ?", key)
    return []


def _settle(m3: M3, statement: sqlite3.Row, line: sqlite3.Row, detail: sqlite3.Row) -> None:
    where = f"line {detail['blsn']}/{detail['blss']}"
    invoice = m3.connection.execute(
        "SELECT * FROM invoice WHERE cono = ? AND divi = ? AND spyn = ? AND sino = ? AND inyr = ?",
        (statement["cono"], detail["odiv"], line["spyn"], detail["sino"], detail["inyr"]),
    ).fetchone()
    if invoice is None:
        raise no_record(f"invoice {line['spyn']}/{detail['sino']}/{detail['inyr']} ({where})", "SINO")
    if invoice["cucd"] != statement["cucd"]:
        raise invalid("CUCD", f"Invoice {detail['sino']} is in {invoice['cucd']} ({where})")
    total = Decimal(invoice["cuam"])
    paid = Decimal(invoice["pcua"]) - Decimal(detail["blnf"])
    within = 0 <= paid <= total if total >= 0 else total <= paid <= 0
    if not within:
        still = total - Decimal(invoice["pcua"])
        raise invalid(
            "BLNF", f"Invoice {detail['sino']} has {still} open, not {-Decimal(detail['blnf'])} ({where})"
        )
    m3.connection.execute(
        "UPDATE invoice SET pcua = ? WHERE cono = ? AND divi = ? AND spyn = ? AND sino = ? AND inyr = ?"
        " AND suno = ?",
        (f"{paid:f}", invoice["cono"], invoice["divi"], invoice["spyn"], invoice["sino"], invoice["inyr"],
         invoice["suno"]),
    )  # fmt: skip


def _bank(m3: M3, call: Call) -> Bank:
    bsid = call.get("BSID")
    found = m3.master.banks.get((call.cono, call.divi, bsid))
    if found is None:
        raise no_record(f"bank identifier {bsid} of division {call.divi}", "BSID")
    return found


def _open_statement(m3: M3, call: Call) -> sqlite3.Row:
    row: sqlite3.Row | None = m3.connection.execute(
        "SELECT * FROM statement WHERE cono = ? AND divi = ? AND jbno = ? AND jbdt = ? AND jbtm = ?",
        (call.cono, call.divi, call.number("JBNO"), call.get("JBDT").zfill(6), call.get("JBTM").zfill(6)),
    ).fetchone()
    if row is None:
        raise no_record(f"statement {call.get('JBNO')}/{call.get('JBDT')}/{call.get('JBTM')}", "JBNO")
    if row["validated"]:
        raise invalid("JBNO", f"Statement {row['jbno']} is validated and takes nothing more")
    return row


def _line(m3: M3, statement: sqlite3.Row, blsn: int) -> sqlite3.Row | None:
    row: sqlite3.Row | None = m3.connection.execute(
        "SELECT * FROM statement_line WHERE cono = ? AND divi = ? AND jbno = ? AND blsn = ?",
        (statement["cono"], statement["divi"], statement["jbno"], blsn),
    ).fetchone()
    return row


TRANSACTIONS: dict[tuple[str, str], Handler] = {
    ("ABS100MI", "GetBankIdent"): get_bank,
    ("ABS100MI", "AddStatmtHead"): add_head,
    ("ABS100MI", "AddStatmtLine"): add_line,
    ("ABS100MI", "AddStatmtDetail"): add_detail,
    ("ABS100MI", "ValidateStatmt"): validate,
}
