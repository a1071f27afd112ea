"""CRS620MI, CRS630MI, CRS030MI, MNS095MI, MNS100MI: master data, to be read."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from stampli_infor_sandbox.m3.errors import invalid, no_record, record_exists, unknown
from stampli_infor_sandbox.m3.master import Reference

if TYPE_CHECKING:
    from stampli_infor_sandbox.m3.engine import M3, Call, Handler, Record
    from stampli_infor_sandbox.m3.master import Dimension, Supplier, TaxCode


def lst_suppliers(m3: M3, call: Call) -> list[Record]:
    """Suppliers FRSU to TOSU, changed at LMTS or later. SUST is no status: GetBasicData has STAT."""
    first, last, since = call.get("FRSU"), call.get("TOSU"), call.number("LMTS")
    found = [
        s
        for s in m3.master.suppliers.values()
        if s.cono == call.cono and s.suno >= first and (not last or s.suno <= last) and s.changed >= since
    ]
    return [_supplier(s) for s in sorted(found, key=lambda s: s.suno)]


def get_supplier(m3: M3, call: Call) -> list[Record]:
    """A supplier with status and VAT number."""
    supplier = m3.master.supplier(call.cono, call.get("SUNO"))
    return [{**_supplier(supplier), "STAT": supplier.status, "VRNO": supplier.tax_number}]


def lst_references(m3: M3, call: Call) -> list[Record]:
    """A supplier's references."""
    m3.master.supplier(call.cono, call.get("SUNO"))
    return [
        _reference(r)
        for key, r in sorted(m3.master.references.items())
        if key[:2] == (call.cono, call.get("SUNO"))
        and call.get("RFTY") in {"", r.rfty}
        and r.rfid >= call.get("RFID")
    ]


def get_reference(m3: M3, call: Call) -> list[Record]:
    """One reference."""
    key = (call.cono, call.get("SUNO"), call.get("RFTY"), call.get("RFID"))
    found = m3.master.references.get(key)
    if found is None:
        raise no_record("supplier reference " + "/".join(map(str, key[1:])), "RFID")
    return [_reference(found)]


def add_reference(m3: M3, call: Call) -> list[Record]:
    """Add a reference to a supplier."""
    suno, rfty, rfid = call.get("SUNO"), call.get("RFTY"), call.get("RFID")
    m3.master.supplier(call.cono, suno)
    if (call.cono, suno, rfty, rfid) in m3.master.references:
        raise record_exists(f"supplier reference {suno}/{rfty}/{rfid}", "RFID")
    row = Reference(cono=call.cono, suno=suno, rfty=rfty, rfid=rfid, yre1=call.get("YRE1"))
    m3.master.put(m3.connection, "references", row)
    return []


def lst_dimensions(m3: M3, call: Call) -> list[Record]:
    """Values of a dimension from AITM on: the division's and the company's; without a division all."""
    aitp, first = call.number("AITP"), call.get("AITM")
    if not 1 <= aitp <= 7:  # noqa: PLR2004 - M3 has seven
        raise invalid("AITP", f"Accounting dimension {aitp} is not 1 to 7")
    found = [
        d
        for d in m3.master.dimensions.values()
        if d.cono == call.cono
        and d.aitp == aitp
        and d.aitm >= first
        and (not call.divi or d.divi in {"", call.divi})
    ]
    return [_dimension(d) for d in sorted(found, key=lambda d: (d.aitm, d.divi))]


def get_dimension(m3: M3, call: Call) -> list[Record]:
    """One value of a dimension."""
    found = m3.master.dimension(call.cono, call.divi, call.number("AITP"), call.get("AITM"))
    if found is None:
        raise no_record(f"accounting identity {call.get('AITP')}/{call.get('AITM')}", "AITM")
    return [_dimension(found)]


def lst_tax_codes(m3: M3, call: Call) -> list[Record]:
    """VAT codes from VTCD on."""
    codes = sorted(
        key for key in m3.master.tax_codes if key[0] == call.cono and key[1] >= call.number("VTCD")
    )
    return [_tax_code(m3.master.tax_codes[key]) for key in codes]


def get_tax_code(m3: M3, call: Call) -> list[Record]:
    """One VAT code."""
    found = m3.master.tax_codes.get((call.cono, call.number("VTCD")))
    if found is None:
        raise unknown("VTCD", f"VAT code {call.get('VTCD')}")
    return [_tax_code(found)]


def lst_companies(m3: M3, call: Call) -> list[Record]:
    """Companies from CONO on."""
    first = call.number("CONO")
    return [
        {"CONO": str(c.cono), "TX40": c.name, "CCUC": c.currency, "CCRT": "1"}
        for c in sorted(m3.master.companies.values(), key=lambda c: c.cono)
        if c.cono >= first
    ]


def lst_divisions(m3: M3, call: Call) -> list[Record]:
    """The company's divisions from DIVI on."""
    return [
        {"CONO": str(d.cono), "DIVI": d.divi, "TX15": d.name[:15]}
        for key, d in sorted(m3.master.divisions.items())
        if key[0] == call.cono and d.divi >= call.get("DIVI")
    ]


def get_division(m3: M3, call: Call) -> list[Record]:
    """One division with its currency; without a division the company's own record."""
    company = m3.master.companies[call.cono]
    if not call.divi:
        return [{"CONO": str(call.cono), "CONM": company.name, "LOCD": company.currency, "DTFM": "YMD"}]
    found = m3.master.divisions[call.cono, call.divi]
    return [
        {
            "CONO": str(call.cono),
            "DIVI": found.divi,
            "CONM": found.name,
            "TX15": found.name[:15],
            "LOCD": found.currency,
            "DTFM": "YMD",
        }
    ]


def _supplier(supplier: Supplier) -> Record:
    return {
        "CONO": str(supplier.cono),
        "SUNO": supplier.suno,
        "SUNM": supplier.name[:36],
        "PRSU": supplier.payee,
        "CUCD": supplier.currency,
        "TEPY": supplier.terms,
        "PYME": supplier.payment_method,
        "VTCD": str(supplier.tax_code),
        "CSCD": supplier.country,
        "CRTP": "1",
    }


def _reference(reference: Reference) -> Record:
    return {name.upper(): str(value) for name, value in asdict(reference).items()}


def _dimension(found: Dimension) -> Record:
    return {
        "CONO": str(found.cono),
        "DIVI": found.divi,
        "AITP": str(found.aitp),
        "AITM": found.aitm,
        "TX40": found.name[:40],
        "TX15": found.name[:15],
        "LCCD": str(int(found.blocked)),
        "AT13": str(int(found.manual_blocked)),
        "VFDT": found.valid_from,
        "VTDT": found.valid_to,
        **{f"ACR{n}": str(int(n in found.required)) for n in range(2, 8)},
    }


def _tax_code(code: TaxCode) -> Record:
    return {"VTCD": str(code.vtcd), "TX40": code.name[:40], "TX15": code.name[:15]}


TRANSACTIONS: dict[tuple[str, str], Handler] = {
    ("CRS620MI", "LstSuppliers"): lst_suppliers,
    ("CRS620MI", "GetBasicData"): get_supplier,
    ("CRS620MI", "LstSupplierRef"): lst_references,
    ("CRS620MI", "GetSupplierRef"): get_reference,
    ("CRS620MI", "AddSupplierRef"): add_reference,
    ("CRS630MI", "LstAccountID"): lst_dimensions,
    ("CRS630MI", "GetAccountID"): get_dimension,
    ("CRS030MI", "LstVat"): lst_tax_codes,
    ("CRS030MI", "GetBasicData"): get_tax_code,
    ("MNS095MI", "Lst"): lst_companies,
    ("MNS100MI", "LstDivisions"): lst_divisions,
    ("MNS100MI", "GetBasicData"): get_division,
}
