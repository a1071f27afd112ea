"""A small M3 and a document that fits it; each test bends one thing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from stampli_infor_transforms.crosswalks import Crosswalks
from stampli_infor_transforms.hints import NO_HINTS
from stampli_infor_transforms.mapping import map_invoice, map_payment
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
    from stampli_infor_transforms.documents import Mapping
    from stampli_infor_transforms.hints import Hints

# The same examples every time, and no clock: a busy machine must not fail a test.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")

SUPPLIERS = (
    Supplier("Y2001", "Example Limited", currency="EUR", status="20", tax_code="7"),
    Supplier("Y2002", "Müller GmbH", payee="Y2001", status="20", references=("EXT-2",)),
    Supplier("Y2003", "Blocked Ltd", status="90"),
    Supplier("Y2004", "New Ltd", status="10"),
    Supplier("Y2005", "Twin Inc", status="20", references=("SHARED",)),
    Supplier("Y2006", "Twin Incorporated", status="20", references=("SHARED",)),
    Supplier("Y2007", "Astray Ltd", payee="GONE", status="20"),
    Supplier("Y2008", "Unknown Status Ltd"),
)
DIMENSIONS = (
    DimensionValue(1, "6100", name="Travel"),
    DimensionValue(1, "6200", name="Rent", required=frozenset({3})),
    DimensionValue(1, "6300", name="Old", blocked=True),
    DimensionValue(1, "6400", name="Automatic", blocked_manual=True),
    DimensionValue(1, "6500", divi="BBB", name="Only B"),
    DimensionValue(2, "PLANT1"),
    DimensionValue(3, "CC10", name="Sales"),
    DimensionValue(3, "CC20", name="Closed", valid_from=date(2025, 1, 1), valid_to=date(2025, 12, 31)),
    DimensionValue(3, "CC30", name="Blocked", blocked=True),
    DimensionValue(4, "P1"),
)
TODAY = date(2026, 3, 1)


@dataclass
class World:
    """What mapping is handed besides the record."""

    tables: dict[str, str] = field(default_factory=dict)
    policy: Policy = field(
        default_factory=lambda: Policy(cono=100, divi="AAA", dimensions={"cost_center": "ait3"})
    )
    suppliers: tuple[Supplier, ...] = SUPPLIERS
    divisions: tuple[str, ...] = ("AAA", "BBB")
    periods: dict[str, date] = field(default_factory=dict)
    hints: Hints = NO_HINTS

    @property
    def reference(self) -> Reference:
        company = CompanyReference(
            company=Company(100, "EUR", self.divisions, **self.periods),
            suppliers=self.suppliers,
            dimensions=DIMENSIONS,
            tax_codes=(TaxCode("1"), TaxCode("7")),
        )
        return Reference({100: company})

    def having(self, **policy: Any) -> World:
        return replace(self, policy=replace(self.policy, **policy))

    def open(self, **periods: date) -> World:
        return replace(self, periods=periods)

    def table(self, name: str, *rows: str) -> World:
        return replace(self, tables={**self.tables, f"{name}.csv": "\n".join(rows)})

    def invoice(self, record: Any) -> Mapping:
        crosswalks = Crosswalks.parse(self.tables)
        return map_invoice(
            record,
            crosswalks=crosswalks,
            reference=self.reference,
            policy=self.policy,
            today=TODAY,
            hints=self.hints,
        )

    def payment(self, record: Any) -> Mapping:
        crosswalks = Crosswalks.parse(self.tables)
        return map_payment(
            record,
            crosswalks=crosswalks,
            reference=self.reference,
            policy=self.policy,
            today=TODAY,
            hints=self.hints,
        )


@pytest.fixture
def world() -> World:
    return World()


class Records:
    """Records as the tap makes them."""

    @staticmethod
    def line(**changes: Any) -> dict[str, Any]:
        line: dict[str, Any] = {
            "line_number": "1",
            "amount": Decimal("100.00"),
            "tax_amount": Decimal("21.00"),
            "tax_code": "1",
            "description": "Flight",
            "gl_account": "6100",
            "department": None,
            "cost_center": None,
            "location": None,
            "project": None,
            "company": None,
            "allocation": None,
            "extra": {},
        }
        return {**line, **changes}

    @classmethod
    def invoice(cls, **changes: Any) -> dict[str, Any]:
        invoice: dict[str, Any] = {
            "company": None,
            "invoice_id": "I-1",
            "invoice_number": "INV-7",
            "invoice_type": "INVOICE",
            "vendor_id": "V100",
            "vendor_external_id": "Y2001",
            "vendor_name": "Example Ltd",
            "invoice_date": "2026-01-15",
            "due_date": "2026-02-14",
            "posting_date": "2026-01-31",
            "approved_at": "2026-01-20",
            "currency": "EUR",
            "total_amount": Decimal("121.00"),
            "tax_amount": Decimal("21.00"),
            "po_number": None,
            "payment_terms": None,
            "memo": None,
            "status": "Approved",
            "lines": [cls.line()],
            "extra": {},
            "_sdc_source_line": 2,
        }
        return {**invoice, **changes}

    @staticmethod
    def payment(**changes: Any) -> dict[str, Any]:
        payment: dict[str, Any] = {
            "company": None,
            "payment_id": "P-1",
            "payment_date": "2026-02-14",
            "payment_method": "ACH",
            "reference": "TRACE 1",
            "vendor_id": "V100",
            "vendor_external_id": "Y2001",
            "vendor_name": "Example Ltd",
            "currency": "EUR",
            "payment_amount": Decimal("121.00"),
            "bank_account": "Main",
            "status": "Paid",
            "applications": [{"invoice_id": "I-1", "invoice_number": "INV-7", "amount": Decimal("121.00")}],
            "extra": {},
        }
        return {**payment, **changes}


@pytest.fixture
def records() -> Records:
    return Records()


@pytest.fixture
def paying(world: World) -> World:
    return world.table("banks", "cono,divi,stampli_bank_account,bsid", "100,,Main,BANK1")
