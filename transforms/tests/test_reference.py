from __future__ import annotations

import json
from datetime import date

from stampli_infor_transforms.reference import (
    Company,
    CompanyReference,
    DimensionValue,
    Reference,
    Supplier,
    TaxCode,
)

REFERENCE = Reference(
    {
        100: CompanyReference(
            company=Company(100, "EUR", ("AAA",)),
            suppliers=[Supplier("Y1", "Example Ltd", "Y2", "EUR", "30D", "BAC", "1", "20", "DE1", ("EXT",))],
            dimensions=[
                DimensionValue(1, "6100", required=frozenset({3, 2})),
                DimensionValue(1, "6100", "AAA", "Division's", blocked=True, valid_from=date(2026, 1, 1)),
                DimensionValue(2, "P", valid_to=date(2026, 12, 31), blocked_manual=True),
            ],
            tax_codes=[TaxCode("01", "21 %")],
        )
    }
)


def test_snapshot_comes_back_as_it_was() -> None:
    snapshot = json.loads(json.dumps(REFERENCE.to_json()))
    again = Reference.from_json(snapshot)
    assert again.to_json() == REFERENCE.to_json()
    assert again.companies[100].suppliers == REFERENCE.companies[100].suppliers
    assert again.companies[100].dimensions == REFERENCE.companies[100].dimensions


def test_lookups() -> None:
    company = REFERENCE.companies[100]
    own, other = company.dimension(1, "6100", "AAA"), company.dimension(1, "6100", "BBB")
    assert own is not None
    assert other is not None
    assert (own.name, other.name) == ("Division's", "")
    assert company.dimension(2, "6100", "AAA") is None
    assert company.tax_code("1") == company.tax_code("01") == TaxCode("01", "21 %")
    assert company.tax_code("10") is None
    assert [each.suno for each in company.suppliers_with_reference("EXT")] == ["Y1"]
    assert [each.suno for each in company.suppliers_named("EXAMPLE LIMITED")] == ["Y1"]
    assert company.suppliers_named("...") == ()


def test_changed_suppliers_are_found_by_every_way() -> None:
    company = REFERENCE.companies[100]
    assert (
        company.suggest_suppliers(name="Exampl Ltd", code="")[0] == "Y1 Example Ltd (90 %; exampl / example)"
    )
    changed = company.with_suppliers(
        [Supplier("Y1", "Renamed Inc"), Supplier("Y3", "New AG", references=("N",))]
    )
    assert company.suppliers["Y1"].name == "Example Ltd"
    assert changed.suppliers_named("Example Ltd") == ()
    assert [each.suno for each in changed.suppliers_named("New Aktiengesellschaft")] == ["Y3"]
    assert [each.suno for each in changed.suppliers_with_reference("N")] == ["Y3"]
    assert (
        changed.suggest_suppliers(name="Renamd Inc", code="")[0] == "Y1 Renamed Inc (90 %; renamd / renamed)"
    )
    assert changed.tax_code("1") is not None
    assert REFERENCE.with_company(changed).companies[100] is changed


def test_suggestions_by_number_where_there_is_no_name() -> None:
    company = CompanyReference(
        company=Company(100), suppliers=[Supplier("Y2001", "A"), Supplier("Y2010", "B")]
    )
    assert company.suggest_suppliers(name="", code="y2011") == ("Y2001 A (80 %)", "Y2010 B (80 %)")
    assert company.suggest_suppliers(name="", code="") == ()


def test_blocked_values_are_not_suggested() -> None:
    company = CompanyReference(
        company=Company(100), dimensions=[DimensionValue(1, "6100", blocked=True), DimensionValue(1, "6101")]
    )
    assert company.suggest_codes(1, "6100") == ("6101 (75 %)",)
    assert company.suggest_codes(2, "6100") == ()
