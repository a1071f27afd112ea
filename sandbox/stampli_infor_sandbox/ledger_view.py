"""M3's books as ``stampli-infor-sandbox ledger`` shows them, read straight from the database file."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from stampli_infor_sandbox.m3.amounts import shown
from stampli_infor_sandbox.m3.journals import UPDATED, lines_of

if TYPE_CHECKING:
    import sqlite3

ASSUMPTIONS = (
    "APS100MI's contract is an assumption (it is in no published MI repository; it mirrors APS450MI and posts"
    " a batch once its lines make up its total), and so is the template of the export files (Stampli"
    " publishes none)."
)


def books(connection: sqlite3.Connection) -> dict[str, Any]:
    """AP ledger, batches not in it, bank statements and request counts; amounts are decimal strings."""
    staged = connection.execute("SELECT * FROM batch WHERE supa <> 90 ORDER BY inbn")
    posted = connection.execute("SELECT * FROM invoice ORDER BY cono, divi, suno, sino, inyr")
    return {
        "invoices": [_invoice(connection, row) for row in posted],
        "staged": [_staged(connection, row) for row in staged],
        "statements": [_statement(connection, row) for row in _statements(connection)],
        "journals": [_journal(connection, row) for row in connection.execute("SELECT * FROM journal")],
        "requests": _counts(connection),
        "note": ASSUMPTIONS,
    }


def _invoice(connection: sqlite3.Connection, row: sqlite3.Row) -> dict[str, Any]:
    currency = row["cucd"]
    total, paid = Decimal(row["cuam"]), Decimal(row["pcua"])
    return {
        "cono": row["cono"],
        "divi": row["divi"],
        "payee": row["spyn"],
        "supplier": row["suno"],
        "number": row["sino"],
        "year": row["inyr"],
        "kind": "CREDIT_MEMO" if total < 0 else "INVOICE",
        "currency": currency,
        "amount": shown(total, currency),
        "vat": shown(row["vtam"], currency),
        "paid": shown(paid, currency),
        "open": shown(total - paid, currency),
        "invoice_date": row["ivdt"],
        "due_date": row["dudt"],
        "accounting_date": row["acdt"],
        "terms": row["tepy"],
        "payment_method": row["pyme"],
        "voucher": row["vono"],
        "inbn": row["inbn"],
        "cori": row["cori"],
        "lines": _lines(connection, row["inbn"], currency),
    }


def _staged(connection: sqlite3.Connection, row: sqlite3.Row) -> dict[str, Any]:
    head = json.loads(row["head"])
    currency = head["CUCD"]
    total = Decimal(head.get("CUAM", "0"))
    return {
        "cono": row["cono"],
        "divi": row["divi"],
        "payee": row["spyn"],
        "supplier": row["suno"],
        "number": row["sino"],
        "year": int(head["IVDT"][:4]),
        "kind": "CREDIT_MEMO" if total < 0 else "INVOICE",
        "currency": currency,
        "amount": shown(total, currency),
        "vat": shown(head.get("VTAM", "0"), currency),
        "paid": shown("0", currency),
        "open": shown("0", currency),
        "invoice_date": head["IVDT"],
        "due_date": head.get("DUDT", ""),
        "accounting_date": head["ACDT"],
        "terms": head["TEPY"],
        "payment_method": head["PYME"],
        "voucher": 0,
        "inbn": row["inbn"],
        "cori": head.get("CORI", ""),
        "lines": _lines(connection, row["inbn"], currency),
        "program": row["program"],
        "supa": row["supa"],
        "head_error": bool(row["ibhe"]),
        "line_error": bool(row["ible"]),
        "status": row["error"] or {10: "new", 20: "under validation"}.get(row["supa"], ""),
    }


def _lines(connection: sqlite3.Connection, inbn: int | None, currency: str) -> list[dict[str, Any]]:
    lines = []
    query = "SELECT rdtp, fields FROM batch_line WHERE inbn = ? ORDER BY trno"
    for rdtp, fields in connection.execute(query, (inbn,)):
        line = json.loads(fields)
        lines.append(
            {
                "rdtp": rdtp,
                "amount": shown(line.get("NLAM", "0"), currency),
                "tax": shown(line.get("VTA1", "0"), currency),
                "tax_code": line.get("VTCD", ""),
                "ait": [line.get(f"AIT{n}", "") for n in range(1, 8)],
                "text": line.get("VTXT", ""),
            }
        )
    return lines


def _statements(connection: sqlite3.Connection) -> sqlite3.Cursor:
    return connection.execute("SELECT * FROM statement ORDER BY cono, divi, jbno")


def _statement(connection: sqlite3.Connection, row: sqlite3.Row) -> dict[str, Any]:
    key = (row["cono"], row["divi"], row["jbno"])
    lines = connection.execute(
        "SELECT * FROM statement_line WHERE cono = ? AND divi = ? AND jbno = ? ORDER BY blsn", key
    )
    return {
        "cono": row["cono"],
        "divi": row["divi"],
        "jbno": row["jbno"],
        "bsid": row["bsid"],
        "currency": row["cucd"],
        "stmn": row["stmn"],
        "validated": bool(row["validated"]),
        "lines": [
            {
                "blsn": line["blsn"],
                "payee": line["spyn"],
                "amount": shown(line["bllf"], row["cucd"]),
                "reference": line["abno"],
                "value_date": line["curd"],
                "details": [
                    {
                        "blss": detail["blss"],
                        "number": detail["sino"],
                        "year": detail["inyr"],
                        "amount": shown(detail["blnf"], row["cucd"]),
                        "reference": detail["irno"],
                    }
                    for detail in connection.execute(
                        "SELECT * FROM statement_detail"
                        " WHERE cono = ? AND divi = ? AND jbno = ? AND blsn = ? ORDER BY blss",
                        (*key, line["blsn"]),
                    )
                ],
            }
            for line in lines
        ],
    }


def _journal(connection: sqlite3.Connection, row: sqlite3.Row) -> dict[str, Any]:
    return {
        "cono": row["cono"],
        "divi": row["divi"],
        "key": row["key1"],
        "interface": row["intn"],
        "booked": row["status"] == UPDATED,
        "lines": lines_of(connection, row),
    }


def _counts(connection: sqlite3.Connection) -> dict[str, Any]:
    counts = {str(row["name"]): int(row["n"]) for row in connection.execute("SELECT * FROM request_count")}
    programs = {name: n for name, n in sorted(counts.items()) if "/" in name}
    return {
        "http": counts.get("http", 0),
        "throttled": counts.get("http 429", 0),
        "tokens": counts.get("tokens", 0),
        "transactions": programs,
    }
