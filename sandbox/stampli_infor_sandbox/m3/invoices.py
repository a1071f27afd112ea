"""APS450MI and APS100MI: supplier invoice batches, from the head to the point where M3 posts them.

APS100MI is in no published MI repository. Its contract is **assumed**: APS450MI's, and a batch posts by
itself as soon as its lines and VAT make up its total.
APS450MI's is posted through APS455MI (see ``posting``).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from stampli_infor_sandbox.m3.amounts import amount
from stampli_infor_sandbox.m3.coding import DIMENSIONS, check_coding, check_tax_code
from stampli_infor_sandbox.m3.database import next_number
from stampli_infor_sandbox.m3.errors import Nok, invalid, must_be_entered, no_record, unknown
from stampli_infor_sandbox.m3.master import CURRENCY_DECIMALS
from stampli_infor_sandbox.m3.posting import NEW, POSTED, UNDER_VALIDATION, is_complete, post_or_flag, totals

if TYPE_CHECKING:
    import sqlite3

    from stampli_infor_sandbox.m3.engine import M3, Call, Handler, Record
    from stampli_infor_sandbox.m3.master import Master, Supplier

NORMAL_INVOICE = "20"
VAT_LINE = 3
ACCOUNTING_LINE = 8
APPROVED = "20"
BLOCKED = "90"


def add_head(m3: M3, call: Call) -> list[Record]:
    """Open a batch. Not idempotent: the same number again opens a second one, as M3's staging does."""
    head = dict(call.record)
    if not call.divi:
        raise must_be_entered("DIVI")
    if not head.get("SINO"):
        raise must_be_entered("SINO")
    if head.setdefault("IBTP", NORMAL_INVOICE) != NORMAL_INVOICE:
        raise invalid("IBTP", f"IBTP {head['IBTP']}: this sandbox knows normal invoices (20) only")
    supplier = _check_parties(m3.master, call.cono, head)
    _check_money(head, supplier)
    _check_terms(m3, call.cono, head, supplier)
    inbn = next_number(m3.connection, "inbn", 1000001)
    m3.connection.execute(
        "INSERT INTO batch (inbn, program, cono, divi, spyn, suno, sino, supa, rgdt, head)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (inbn, call.program, call.cono, call.divi, head["SPYN"], head["SUNO"], head["SINO"], NEW, m3.today(),
         json.dumps(head)),
    )  # fmt: skip
    return [{"INBN": str(inbn)}]


def _check_parties(master: Master, cono: int, head: Record) -> Supplier:
    supplier = master.supplier(cono, head["SUNO"])
    payee = master.supplier(cono, head.setdefault("SPYN", supplier.paid_as), "SPYN")
    for field, found in (("SUNO", supplier), ("SPYN", payee)):
        if found.status == BLOCKED:
            raise invalid(field, f"Supplier {found.suno} is blocked (status 90)")
        if found.status != APPROVED:
            raise invalid(field, f"Supplier {found.suno} is preliminary (status {found.status})")
    if payee.suno not in {supplier.suno, supplier.paid_as}:
        raise invalid("SPYN", f"Payee {payee.suno} is not the payee of supplier {supplier.suno}")
    return supplier


def _check_money(head: Record, supplier: Supplier) -> None:
    currency = head.setdefault("CUCD", supplier.currency)
    if currency not in CURRENCY_DECIMALS:
        raise unknown("CUCD", f"Currency {currency}")
    for field in ("CUAM", "VTAM"):
        amount(head.get(field, ""), currency=currency, field=field)


def _check_terms(m3: M3, cono: int, head: Record, supplier: Supplier) -> None:
    company = m3.master.companies[cono]
    head.setdefault("ACDT", m3.today())
    if not company.period_from <= head["ACDT"] <= company.period_to:
        raise invalid("ACDT", f"ACDT {head['ACDT']} is in no open period of company {cono}")
    if (cono, head.setdefault("TEPY", supplier.terms)) not in m3.master.terms:
        raise unknown("TEPY", f"Payment terms {head['TEPY']}")
    method = head.setdefault("PYME", supplier.payment_method)
    if method and (cono, method) not in m3.master.payment_methods:
        raise unknown("PYME", f"Payment method {method}")


def add_line(m3: M3, call: Call) -> list[Record]:
    """Add a line; with APS100MI the batch posts itself once it is complete."""
    batch = find(m3, call)
    if batch["supa"] in {UNDER_VALIDATION, POSTED}:
        raise invalid("INBN", f"Invoice batch {batch['inbn']} takes no more lines (status {batch['supa']})")
    line = dict(call.record)
    head = json.loads(batch["head"])
    if line.get("TRNO"):
        raise invalid("TRNO", "TRNO is numbered by M3 here: what a number of the caller's does is not known")
    rdtp = call.number("RDTP")
    if rdtp not in {VAT_LINE, ACCOUNTING_LINE}:
        raise invalid("RDTP", f"Line type {rdtp}: no purchase orders here, 3 and 8 only")
    for field in ("NLAM", "VTA1", "VTA2"):
        amount(line.get(field, ""), currency=head["CUCD"], field=field)
    check_tax_code(m3.master, call.cono, line.get("VTCD", ""))
    if rdtp == ACCOUNTING_LINE:
        if not line.get("NLAM"):
            raise must_be_entered("NLAM")
        if "AIT1" in m3.tenant.transaction(call.program, "AddLine").inputs:
            coding = {n: line.get(f"AIT{n}", "") for n in DIMENSIONS}
            check_coding(m3.master, call.cono, batch["divi"], coding, head["ACDT"])
    elif not line.get("VTCD"):
        raise must_be_entered("VTCD")
    trno = m3.connection.execute(
        "INSERT INTO batch_line (inbn, trno, rdtp, rgdt, fields)"
        " SELECT ?, coalesce(max(trno), 0) + 1, ?, ?, ? FROM batch_line WHERE inbn = ? RETURNING trno",
        (batch["inbn"], rdtp, m3.today(), json.dumps(line), batch["inbn"]),
    ).fetchone()[0]
    if call.program == "APS100MI" and is_complete(m3, batch):
        post_or_flag(m3, batch)
    return [{"TRNO": str(trno)}]


def get_head(m3: M3, call: Call) -> list[Record]:
    """The batch's head, status and voucher."""
    batch = find(m3, call)
    head: Record = json.loads(batch["head"])
    net, _tax = totals(m3, batch["inbn"])
    return [
        {
            **head,
            "SUPA": str(batch["supa"]),
            "IBHE": str(batch["ibhe"]),
            "IBLE": str(batch["ible"]),
            "VONO": str(batch["vono"]),
            "VSER": batch["vser"],
            "YEA4": str(batch["yea4"]),
            "TLNA": f"{net:f}",
            "TOPA": head.get("CUAM", "0"),
            "RGDT": batch["rgdt"],
            "LMDT": batch["rgdt"],
        }
    ]


def lst_lines(m3: M3, call: Call) -> list[Record]:
    """The batch's lines from a transaction number on; M3 shows no accounting dimensions here."""
    batch = find(m3, call)
    currency = json.loads(batch["head"])["CUCD"]
    rows = m3.connection.execute(
        "SELECT * FROM batch_line WHERE inbn = ? AND trno >= ? ORDER BY trno",
        (batch["inbn"], call.number("TRNO")),
    )
    return [
        {
            **json.loads(row["fields"]),
            "TRNO": str(row["trno"]),
            "IBLE": str(row["ible"]),
            "CUCD": currency,
            "RGDT": row["rgdt"],
            "LMDT": row["rgdt"],
        }
        for row in rows
    ]


def lst_by_supplier_invoice(m3: M3, call: Call) -> list[Record]:
    """The batches with a supplier's invoice number, whatever their status."""
    where = "cono = ? AND spyn = ? AND suno = ? AND sino = ? AND (? = '' OR divi = ?)"
    values = (call.cono, call.get("SPYN"), call.get("SUNO"), call.get("SINO"), call.divi, call.divi)
    rows = _batches(m3, where, values)
    if not rows:
        raise no_record(f"invoice batch {call.get('SPYN')}/{call.get('SUNO')}/{call.get('SINO')}", "SINO")
    return rows


def lst_batch_numbers(m3: M3, call: Call) -> list[Record]:
    """The payee's batches, from a batch number on."""
    where = (
        "cono = ? AND spyn = ? AND inbn >= ? AND (? = '' OR suno = ?) AND (? = 0 OR supa = ?)"
        " AND (? = '' OR divi = ?)"
    )
    suno, supa = call.get("SUNO"), call.number("SUPA")
    values = (call.cono, call.get("SPYN"), call.number("INBN"), suno, suno, supa, supa, call.divi, call.divi)
    return _batches(m3, where, values)


def delete(m3: M3, call: Call) -> list[Record]:
    """Delete a batch that is not posted and not being validated."""
    batch = find(m3, call)
    if batch["supa"] in {UNDER_VALIDATION, POSTED}:
        raise Nok(
            "WIN0101", "INBN", f"Invoice batch {batch['inbn']} can't be deleted (status {batch['supa']})"
        )
    m3.connection.execute("DELETE FROM batch_line WHERE inbn = ?", (batch["inbn"],))
    m3.connection.execute("DELETE FROM batch WHERE inbn = ?", (batch["inbn"],))
    return []


def find(m3: M3, call: Call) -> sqlite3.Row:
    """The batch that INBN names, in the call's company and division.

    Raises:
        Nok: ``XRE0103``.
    """
    row: sqlite3.Row | None = m3.connection.execute(
        "SELECT * FROM batch WHERE inbn = ? AND cono = ? AND (? = '' OR divi = ?)",
        (call.number("INBN"), call.cono, call.divi, call.divi),
    ).fetchone()
    if row is None:
        raise no_record(f"invoice batch {call.get('INBN')}", "INBN")
    return row


def _batches(m3: M3, where: str, values: tuple[object, ...]) -> list[Record]:
    # Every value is bound; the conditions are the constants above.
    query = f"SELECT inbn, suno, sino, supa FROM batch WHERE {where} ORDER BY inbn"  # noqa: S608
    return [
        {
            "INBN": str(row["inbn"]),
            "SUNO": row["suno"],
            "SINO": row["sino"],
            "IBTP": NORMAL_INVOICE,
            "SUPA": str(row["supa"]),
        }
        for row in m3.connection.execute(query, values)
    ]


_BOTH: dict[str, Handler] = {
    "AddHead": add_head,
    "AddLine": add_line,
    "GetHead": get_head,
    "LstLines": lst_lines,
    "LstInvBySupInv": lst_by_supplier_invoice,
    "DltInvoice": delete,
}
TRANSACTIONS: dict[tuple[str, str], Handler] = {
    **{("APS450MI", name): handler for name, handler in _BOTH.items()},
    **{("APS100MI", name): handler for name, handler in _BOTH.items()},
    ("APS450MI", "LstInvBatchNo"): lst_batch_numbers,
}
