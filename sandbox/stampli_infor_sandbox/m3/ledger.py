"""APS200MI and GLS200MI: the AP ledger and the vouchers behind it, to be read."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING

from stampli_infor_sandbox.m3.amounts import shown
from stampli_infor_sandbox.m3.errors import no_record

if TYPE_CHECKING:
    import sqlite3

    from stampli_infor_sandbox.m3.engine import M3, Call, Handler, Record

_PAYABLES = "2400"
_INPUT_VAT = "2640"


def get_totals(m3: M3, call: Call) -> list[Record]:
    """An invoice with what is paid (PCUA) and open (OCUA)."""
    return [_totals(_invoice(m3, call), m3)]


def lst_transactions(m3: M3, call: Call) -> list[Record]:
    """The invoice's own ledger record (TRCD 40) and, once paid, the payment's (50)."""
    row = _invoice(m3, call)
    total = _totals(row, m3)
    records = [{**total, "TRCD": "40"}]
    if Decimal(row["pcua"]):
        records.append({**total, "TRCD": "50", "CUAM": shown(-Decimal(row["pcua"]), row["cucd"])})
    wanted = call.number("TRCD")
    return [r for r in records if not wanted or r["TRCD"] == str(wanted)]


def lst_voucher_lines(m3: M3, call: Call) -> list[Record]:
    """The voucher of a posted invoice: payables, expense lines with their dimensions, VAT."""
    row = m3.connection.execute(
        "SELECT * FROM invoice WHERE cono = ? AND divi = ? AND yea4 = ? AND vono = ?",
        (call.cono, call.divi, call.number("YEA4"), call.number("VONO")),
    ).fetchone()
    if row is None:
        raise no_record(f"voucher {call.divi}/{call.get('YEA4')}/{call.get('VONO')}", "VONO")
    common = {
        "CONO": str(row["cono"]),
        "DIVI": row["divi"],
        "YEA4": str(row["yea4"]),
        "JRNO": str(row["jrno"]),
        "VSER": row["vser"],
        "VONO": str(row["vono"]),
        "ACDT": row["acdt"],
        "CUCD": row["cucd"],
    }
    lines: list[Record] = [{"AIT1": _PAYABLES, "CUAM": shown(-Decimal(row["cuam"]), row["cucd"])}]
    query = "SELECT rdtp, fields FROM batch_line WHERE inbn = ? ORDER BY trno"
    for _rdtp, fields in m3.connection.execute(query, (row["inbn"],)):
        line = json.loads(fields)
        if Decimal(line.get("NLAM", "0")):
            coding = {f"AIT{n}": line.get(f"AIT{n}", "") for n in range(1, 8)}
            text = {"VTXT": line.get("VTXT", ""), "VTCD": line.get("VTCD", "0")}
            lines.append({**coding, **text, "CUAM": shown(line["NLAM"], row["cucd"])})
        if Decimal(line.get("VTA1", "0")):
            tax = {"AIT1": _INPUT_VAT, "VTCD": line.get("VTCD", "0")}
            lines.append({**tax, "CUAM": shown(line["VTA1"], row["cucd"])})
    return [{**common, **line, "JSNO": str(n)} for n, line in enumerate(lines, start=1)]


def _invoice(m3: M3, call: Call) -> sqlite3.Row:
    key = (call.get("SPYN"), call.get("SINO"), call.number("INYR"), call.get("SUNO"))
    row: sqlite3.Row | None = m3.connection.execute(
        "SELECT * FROM invoice"
        " WHERE cono = ? AND divi = ? AND spyn = ? AND sino = ? AND inyr = ? AND suno = ?",
        (call.cono, call.divi, *key),
    ).fetchone()
    if row is None:
        raise no_record("invoice " + "/".join(str(part) for part in key), "SINO")
    return row


def _totals(row: sqlite3.Row, m3: M3) -> Record:
    currency = row["cucd"]
    total, paid = Decimal(row["cuam"]), Decimal(row["pcua"])
    return {
        "CONO": str(row["cono"]),
        "DIVI": row["divi"],
        "YEA4": str(row["yea4"]),
        "JRNO": str(row["jrno"]),
        "JSNO": "1",
        "TRCD": "40",
        "SPYN": row["spyn"],
        "SUNO": row["suno"],
        "SINO": row["sino"],
        "INYR": str(row["inyr"]),
        "VSER": row["vser"],
        "VONO": str(row["vono"]),
        "CUCD": currency,
        "CUAM": shown(total, currency),
        "VTAM": shown(row["vtam"], currency),
        "PCUA": shown(paid, currency),
        "OCUA": shown(total - paid, currency),
        "IVDT": row["ivdt"],
        "DUDT": row["dudt"],
        "ACDT": row["acdt"],
        "TEPY": row["tepy"],
        "PYME": row["pyme"],
        "RGDT": row["rgdt"],
        "RECO": "9" if total == paid else "0",
        "LOCD": m3.master.divisions[row["cono"], row["divi"]].currency,
    }


TRANSACTIONS: dict[tuple[str, str], Handler] = {
    ("APS200MI", "GetInvTotInfo"): get_totals,
    ("APS200MI", "LstInvoiceTrans"): lst_transactions,
    ("GLS200MI", "LstVoucherLines"): lst_voucher_lines,
}
