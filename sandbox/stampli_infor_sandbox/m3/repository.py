"""MRS001MI: which programs, transactions and fields this tenant exposes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stampli_infor_sandbox.m3.errors import invalid, no_record

if TYPE_CHECKING:
    from stampli_infor_sandbox.m3.engine import M3, Call, Handler, Record


def lst_programs(m3: M3, _call: Call) -> list[Record]:
    """Every program that is exposed."""
    return [{"MINM": name, "MIDS": text} for name, text in m3.tenant.descriptions.items()]


def lst_transactions(m3: M3, call: Call) -> list[Record]:
    """A program's transactions."""
    program = call.get("MINM")
    found = m3.tenant.programs.get(program)
    if found is None:
        raise no_record(f"program {program}", "MINM")
    return [
        {"MINM": program, "TRNM": t.name, "TRDS": t.description, "STAT": "20", "SIMU": "0"}
        for t in found.values()
    ]


def lst_fields(m3: M3, call: Call) -> list[Record]:
    """A transaction's input (TRTP I) or output (O) fields with their positions."""
    program, name, layout = call.get("MINM"), call.get("TRNM"), call.get("TRTP")
    transaction = m3.tenant.programs.get(program, {}).get(name)
    if transaction is None:
        raise no_record(f"transaction {program}/{name}", "TRNM")
    if layout not in {"I", "O"}:
        raise invalid("TRTP", f"TRTP must be I or O: {layout}")
    position = 16
    rows: list[Record] = []
    for field in (transaction.inputs if layout == "I" else transaction.outputs).values():
        rows.append(
            {
                "MINM": program,
                "TRNM": name,
                "TRTP": layout,
                "FLNM": field.name,
                "FLDS": field.description,
                "FRPO": str(position),
                "TOPO": str(position + field.length - 1),
                "LENG": str(field.length),
                "TYPE": field.type,
                "MAND": "1" if field.mandatory else "0",
            }
        )
        position += field.length
    return rows


TRANSACTIONS: dict[tuple[str, str], Handler] = {
    ("MRS001MI", "LstPrograms"): lst_programs,
    ("MRS001MI", "LstTransactions"): lst_transactions,
    ("MRS001MI", "LstFields"): lst_fields,
}
