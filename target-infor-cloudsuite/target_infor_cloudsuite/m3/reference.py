"""M3's reference data as the transforms' rows: suppliers, dimensions, VAT codes, the company."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from stampli_infor_transforms.reference import Company, CompanyReference, DimensionValue, Supplier, TaxCode

from target_infor_cloudsuite.ion.answers import Outcome, Transaction
from target_infor_cloudsuite.ion.errors import GatewayRefused
from target_infor_cloudsuite.m3.paging import PAGE_SIZE, KeyedList, read_keyed, rows_of
from target_infor_cloudsuite.m3.values import from_mi_date

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from target_infor_cloudsuite.ion.gateway import Gateway

_log = logging.getLogger(__name__)

_END_OF_TIME = "99999999"
_SUPPLIER_COLUMNS = ("SUNO", "SUNM", "PRSU", "CUCD", "TEPY", "PYME", "VTCD")
_SUPPLIERS = KeyedList(
    program="CRS620MI",
    transaction="LstSuppliers",
    start="FRSU",
    key="SUNO",
    columns=(*_SUPPLIER_COLUMNS, "SUST"),
)
_DIMENSIONS = KeyedList(
    program="CRS630MI",
    transaction="LstAccountID",
    start="AITM",
    key="AITM",
    columns=(
        *("AITP", "AITM", "DIVI", "TX40", "LCCD", "AT13", "VFDT", "VTDT"),
        *("ACR2", "ACR3", "ACR4", "ACR5", "ACR6", "ACR7"),
    ),
)
_TAX_CODES = KeyedList(
    program="CRS030MI", transaction="LstVat", start="VTCD", key="VTCD", columns=("VTCD", "TX40")
)
_DIVISIONS = KeyedList(
    program="MNS100MI", transaction="LstDivisions", start="DIVI", key="DIVI", columns=("DIVI",)
)
_STATUSES = frozenset({"10", "20", "90"})
_NO = frozenset({"", "0"})
_REQUIRED = "1"  # (assumed) ACR2..ACR7: 1 the dimension must be given, others leave it open or forbid it
_OVERLAP_MILLISECONDS = 600_000


def since_mark(read_at: datetime) -> str:
    """Return what to ask for next time, as LMTS: milliseconds since 1970 of the reading, ten minutes earlier.

    (assumed) LMTS is N18 in every layout and LstSuppliers does not return it; M3 keeps its time stamps in
    milliseconds. The overlap covers clocks that differ and changes that were under way.
    """
    return str(int(read_at.timestamp() * 1000) - _OVERLAP_MILLISECONDS)


def read_company(gateway: Gateway, cono: int, *, since: str | None = None) -> CompanyReference:
    """Read all reference data of a company.

    Args:
        gateway: to M3.
        cono: the company.
        since: only suppliers changed since (`since_mark` of the last reading); the rest is read whole.

    Raises:
        GatewayRefused: the company does not exist, or M3 refuses a program.
        GatewayUnavailable: no useful answer.
    """
    company = _company(gateway, cono)
    return CompanyReference(
        company=company,
        suppliers=read_suppliers(gateway, cono, since),
        dimensions=read_dimensions(gateway, cono, company.divisions),
        tax_codes=read_tax_codes(gateway, cono),
    )


def read_suppliers(
    gateway: Gateway, cono: int, since: str | None = None, *, page_size: int = PAGE_SIZE
) -> list[Supplier]:
    """Read the suppliers, or those changed since. Their status is mostly unknown: see `supplier_details`."""
    query = {"LMTS": since} if since else {}
    (rows,) = read_keyed(gateway, _SUPPLIERS, [query], cono=cono, page_size=page_size)
    return [_supplier(row) for row in rows if row.get("SUNO")]


def supplier_details(gateway: Gateway, cono: int, sunos: Sequence[str]) -> list[Supplier]:
    """Read these suppliers with status and VAT number; those that M3 does not have are left out."""
    columns = (*_SUPPLIER_COLUMNS, "STAT", "VRNO")
    asked = [Transaction("GetBasicData", {"SUNO": suno}, columns) for suno in sunos]
    answers = gateway.read("CRS620MI", asked, cono=cono)
    return [_supplier(row) for answer in answers for row in rows_of(answer, "CRS620MI", "GetBasicData")]


def supplier_references(gateway: Gateway, cono: int, sunos: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Read the external ids that M3 keeps for these suppliers (RFID), by SUNO; '()' where there are none."""
    asked = [Transaction("LstSupplierRef", {"SUNO": suno}, ("RFTY", "RFID")) for suno in sunos]
    answers = gateway.read("CRS620MI", asked, cono=cono)
    found = {}
    for suno, answer in zip(sunos, answers, strict=True):
        rows = rows_of(answer, "CRS620MI", "LstSupplierRef")
        found[suno] = tuple(dict.fromkeys(row["RFID"] for row in rows if row.get("RFID")))
    return found


def read_dimensions(
    gateway: Gateway, cono: int, divisions: Sequence[str] = (), *, page_size: int = PAGE_SIZE
) -> list[DimensionValue]:
    """Read the values of the seven accounting dimensions: the company's and the divisions' own.

    (assumed) Without DIVI M3 lists every division's values; where it lists the company's alone, each
    division is asked too.
    """
    everywhere = [{"AITP": str(number)} for number in range(1, 8)]
    lists = read_keyed(gateway, _DIMENSIONS, everywhere, cono=cono, page_size=page_size)
    if divisions and not any(row.get("DIVI") for rows in lists for row in rows):
        by_division = [{**query, "DIVI": divi} for divi in divisions for query in everywhere]
        lists += read_keyed(gateway, _DIMENSIONS, by_division, cono=cono, page_size=page_size)
    # seven lists for everywhere, then seven for each division: the place tells the dimension
    values = [_dimension(at % 7 + 1, row) for at, rows in enumerate(lists) for row in rows if row.get("AITM")]
    return list({(value.dimension, value.code, value.divi): value for value in values}.values())


def read_tax_codes(gateway: Gateway, cono: int) -> list[TaxCode]:
    """Read the VAT codes."""
    (rows,) = read_keyed(gateway, _TAX_CODES, [{}], cono=cono)
    return [TaxCode(code=row["VTCD"].strip(), name=row.get("TX40", "")) for row in rows if row.get("VTCD")]


def _company(gateway: Gateway, cono: int) -> Company:
    (answer,) = gateway.read(
        "MNS095MI", [Transaction("Lst", {"CONO": str(cono)}, ("CONO", "CCUC"))], cono=cono
    )
    rows = [row for row in rows_of(answer, "MNS095MI", "Lst") if _same_number(row.get("CONO", ""), cono)]
    if not rows:
        raise GatewayRefused(
            f"M3 has no company {cono} for this service account (MNS095MI/Lst)",
            what_to_do="Check cono in the settings and companies.csv, and the account's companies in M3",
        )
    (divisions,) = read_keyed(gateway, _DIVISIONS, [{"CONO": str(cono)}], cono=cono)
    names = tuple(row["DIVI"] for row in divisions if row.get("DIVI"))
    return Company(cono=cono, currency=rows[0].get("CCUC") or _local_currency(gateway, cono), divisions=names)


def _local_currency(gateway: Gateway, cono: int) -> str:
    (answer,) = gateway.read(
        "MNS100MI", [Transaction("GetBasicData", {"CONO": str(cono)}, ("LOCD",))], cono=cono
    )
    return answer.records[0].get("LOCD", "") if answer.outcome is Outcome.DONE and answer.records else ""


def _supplier(row: Mapping[str, str]) -> Supplier:
    # SUST is M3's "supplier statistics"; some tenants show the status there, and only that has two digits.
    status = row.get("STAT") or row.get("SUST", "")
    tax_code = row.get("VTCD", "")
    return Supplier(
        suno=row["SUNO"],
        name=row.get("SUNM", ""),
        payee=row.get("PRSU") or row["SUNO"],
        currency=row.get("CUCD", ""),
        terms=row.get("TEPY", ""),
        payment_method=row.get("PYME", ""),
        tax_code="" if tax_code in _NO else tax_code,
        status=status if status in _STATUSES else "",
        tax_number=row.get("VRNO", ""),
        references=(),
    )


def _dimension(number: int, row: Mapping[str, str]) -> DimensionValue:
    required = (n for n in range(2, 8) if row.get(f"ACR{n}") == _REQUIRED)
    return DimensionValue(
        dimension=number,
        code=row["AITM"],
        divi=row.get("DIVI", ""),
        name=row.get("TX40", ""),
        blocked=row.get("LCCD", "") not in _NO,
        blocked_manual=row.get("AT13", "") not in _NO,
        valid_from=_bound(row, "VFDT"),
        valid_to=_bound(row, "VTDT"),
        required=frozenset(required) if number == 1 else frozenset(),
    )


def _bound(row: Mapping[str, str], column: str) -> date | None:
    text = row.get(column, "")
    try:
        return from_mi_date("" if text == _END_OF_TIME else text)
    except ValueError:
        # No reason to stop: M3 itself checks the date again when it takes the posting.
        _log.warning("CRS630MI/LstAccountID gives %s %r for %s; taken as no bound", column, text, row["AITM"])
        return None


def _same_number(text: str, number: int) -> bool:
    return text.strip().isdecimal() and int(text) == number
