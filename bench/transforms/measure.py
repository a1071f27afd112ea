"""How fast the mapping stage is, as ratios to work of known cost on the same machine.

python bench/transforms/measure.py [invoices]
"""

from __future__ import annotations

import json
import random
import sys
import time
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from lookalikes import register
from rapidfuzz import fuzz, process
from stampli_infor_transforms.crosswalks import Crosswalks
from stampli_infor_transforms.mapping import map_invoice
from stampli_infor_transforms.names import normalise_name
from stampli_infor_transforms.policy import Policy
from stampli_infor_transforms.reference import (
    Company,
    CompanyReference,
    DimensionValue,
    Reference,
    Supplier,
    TaxCode,
)

if TYPE_CHECKING:
    from collections.abc import Callable

SUPPLIERS, ACCOUNTS, LINES = 50_000, 20_000, 5
POLICY = Policy(cono=100, divi="AAA", dimensions={"cost_center": "ait3"})
NOTHING = Crosswalks.parse({})


def main() -> None:
    """Print one line a measurement."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    names = register([], SUPPLIERS)
    reference = Reference({100: _company(names)})
    seconds, _ = _timed(lambda: _map(_invoices(1, names, unknown=1), reference))
    print(f"index of {SUPPLIERS} names and the first suggestion: {seconds:.2f} s, once")
    known = _invoices(count, names, unknown=0)
    dumped, _ = _timed(lambda: [json.dumps(each, default=str) for each in known])
    print(f"json.dumps of {count} invoices of {LINES} lines: {dumped:.3f} s (1.0)")
    for label, unknown in (("every vendor known", 0.0), ("5 % unknown", 0.05), ("every vendor unknown", 1.0)):
        records = _invoices(count, names, unknown=unknown)
        seconds, _ = _timed(lambda records=records: _map(records, reference))  # type: ignore[misc]
        print(f"{label}: {count / seconds:.0f} invoices a second, {seconds / dumped:.1f} times json.dumps")
    queries = [normalise_name(_misspelt(name, random.Random(at))) for at, name in enumerate(names[:200])]  # noqa: S311
    choices = [normalise_name(name) for name in names]
    bare, _ = _timed(lambda: [process.extract(each, choices, scorer=fuzz.ratio, limit=3) for each in queries])
    ours, _ = _timed(
        lambda: [reference.companies[100].suggest_suppliers(name=each, code="") for each in queries]
    )
    print(
        f"a suggestion: {ours / len(queries) * 1000:.2f} ms, {bare / ours:.1f} times as fast "
        "as bare rapidfuzz extract"
    )


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def _company(names: list[str]) -> CompanyReference:
    suppliers = [
        Supplier(f"Y{at:05}", name, status="20", tax_code="1", currency="EUR")
        for at, name in enumerate(names)
    ]
    accounts = [DimensionValue(1, str(100_000 + at), name=f"Account {at}") for at in range(ACCOUNTS)]
    centres = [DimensionValue(3, f"CC{at}") for at in range(500)]
    company = Company(100, "EUR", ("AAA",))
    return CompanyReference(
        company=company, suppliers=suppliers, dimensions=[*accounts, *centres], tax_codes=[TaxCode("1")]
    )


def _map(records: list[dict[str, Any]], reference: Reference) -> None:
    for record in records:
        map_invoice(record, crosswalks=NOTHING, reference=reference, policy=POLICY, today=date(2026, 3, 1))


def _misspelt(name: str, rng: random.Random) -> str:
    at = rng.randrange(1, len(name))
    return name[:at] + rng.choice("aeionrst") + name[at:] + rng.choice("xyz")


def _invoices(count: int, names: list[str], *, unknown: float) -> list[dict[str, Any]]:
    rng = random.Random(7)  # noqa: S311 - bench data
    found: list[dict[str, Any]] = []
    for number in range(count):
        at = rng.randrange(len(names))
        is_unknown = rng.random() < unknown
        lines: list[dict[str, Any]] = [
            {
                "line_number": str(line),
                "amount": Decimal("100.00"),
                "tax_amount": Decimal("21.00"),
                "tax_code": "1",
                "description": "Consulting in January",
                "gl_account": str(100_000 + rng.randrange(ACCOUNTS)),
                "department": None,
                "cost_center": f"CC{rng.randrange(500)}",
                "location": None,
                "project": None,
                "company": None,
                "allocation": None,
                "extra": {},
            }
            for line in range(1, LINES + 1)
        ]
        found.append(
            {
                "company": None,
                "invoice_id": f"I{number}",
                "invoice_number": f"N{number}",
                "invoice_type": "INVOICE",
                "vendor_id": f"V{at}",
                "vendor_external_id": None if is_unknown else f"Y{at:05}",
                "vendor_name": _misspelt(names[at], rng) if is_unknown else names[at],
                "invoice_date": "2026-01-15",
                "posting_date": "2026-01-31",
                "currency": "EUR",
                "total_amount": Decimal("605.00"),
                "tax_amount": Decimal("105.00"),
                "status": "Approved",
                "lines": lines,
                "extra": {},
            }
        )
    return found


if __name__ == "__main__":
    main()
