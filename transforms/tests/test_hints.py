"""Name matches: what confirms them, and what speaks against them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from stampli_infor_transforms.hints import Hints, confirmation_key, same_tax_number, vendor_tax_ids
from stampli_infor_transforms.reference import Supplier

if TYPE_CHECKING:
    from .conftest import Records, World

NAMED = Supplier("Y1", "Example Ltd", status="20", tax_code="1", tax_number="GB 123 456")
TWIN = replace(NAMED, suno="Y2", tax_number="GB999")
KEY = (100, confirmation_key(vendor_id="V100", vendor_name="EXAMPLE LIMITED"))


def _found(world: World, records: Records, **changes: Any) -> tuple[str, list[str]]:
    mapping = world.invoice(records.invoice(vendor_external_id=None, **changes))
    document = mapping.document
    return (document.supplier if document else "", [each.code for each in mapping.reasons])


@pytest.mark.parametrize(
    ("hints", "tax_id", "reasons"),
    [
        (Hints(), None, ["name_match_unconfirmed"]),
        (Hints(confirmed={KEY: "Y1"}), None, []),
        (Hints(confirmed={KEY: "Y9"}), None, ["name_match_unconfirmed"]),
        (Hints(confirmed={(200, KEY[1]): "Y1"}), None, ["name_match_unconfirmed"]),
        (Hints(), "gb123456", []),
        (Hints(), "GB 123 457", ["supplier_tax_number_differs"]),
        (Hints(confirmed={KEY: "Y1"}), "GB 123 457", ["supplier_tax_number_differs"]),
    ],
)
def test_confirmation(
    hints: Hints, tax_id: str | None, reasons: list[str], world: World, records: Records
) -> None:
    held = replace(world.having(name_needs_confirmation=True), suppliers=(NAMED,), hints=hints)
    assert _found(held, records, vendor_tax_id=tax_id) == ("Y1", reasons)


def test_another_name_has_to_be_confirmed_again(world: World, records: Records) -> None:
    renamed = replace(NAMED, name="Sample Ltd")
    held = replace(
        world.having(name_needs_confirmation=True), suppliers=(renamed,), hints=Hints(confirmed={KEY: "Y1"})
    )
    assert _found(held, records, vendor_name="Sample Ltd") == ("Y1", ["name_match_unconfirmed"])


def test_tax_number_from_the_vendors_stream(world: World, records: Records) -> None:
    vendors: list[dict[str, Any]] = [
        {"company": None, "vendor_id": "V100", "tax_id": "GB1"},
        {"company": "acme", "vendor_id": "V100", "tax_id": "GB123456"},
        {"vendor_id": None},
    ]
    hinted = replace(world, suppliers=(NAMED,), hints=Hints(tax_ids=vendor_tax_ids(vendors)))
    assert _found(hinted, records) == ("Y1", ["supplier_tax_number_differs"])
    assert _found(hinted, records, company="Acme") == ("Y1", [])


@pytest.mark.parametrize(
    ("hints", "tax_id", "suno"),
    [
        (Hints(), None, ""),
        (Hints(confirmed={KEY: "Y2"}), None, "Y2"),
        (Hints(), "999", "Y2"),
        (Hints(), "1", ""),
    ],
)
def test_one_of_two_with_the_same_name(
    hints: Hints, tax_id: str | None, suno: str, world: World, records: Records
) -> None:
    twins = replace(world, suppliers=(NAMED, TWIN), hints=hints)
    expected = [] if suno else ["supplier_ambiguous"]
    assert _found(twins, records, vendor_tax_id=tax_id) == (suno, expected)


def test_a_tax_number_that_differs_is_only_noted_where_an_id_decided(world: World, records: Records) -> None:
    mapping = replace(world, suppliers=(NAMED,)).invoice(
        records.invoice(vendor_external_id="Y1", vendor_tax_id="FR1")
    )
    assert mapping.reasons == ()
    assert mapping.notes == ("Vendor V100 (Example Ltd) has tax number FR1, M3 supplier Y1 GB 123 456.",)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("DE 123", "de123", True), ("DE123", "123", True), ("DE123", "AT123", False), ("12-3", "124", False)],
)
def test_tax_numbers(one: str, other: str, same: bool) -> None:  # noqa: FBT001 - a column of the table
    assert same_tax_number(one, other) is same
    assert same_tax_number(other, one) is same


def test_suggestions_say_what_differs(world: World, records: Records) -> None:
    suppliers = (
        Supplier("Y1", "Kehner GmbH"),
        Supplier("Y2", "Lehner AG"),
        Supplier("Y3", "Kehner Holding AG"),
        Supplier("Y4", "Tree House Smith"),
    )
    others = replace(world, suppliers=suppliers)
    for name, expected in (
        ("Kehner AG", {"Y1 Kehner GmbH", "Y2 Lehner AG", "Y3 Kehner Holding AG"}),
        ("Kehner AG", {"legal form ag / gmbh)", "kehner / lehner)", "also holding)"}),
        ("Treehouse Smith", {"Y4 Tree House Smith (", "other blanks)"}),
        ("Smith Tree House", {"other word order)"}),
    ):
        found = others.invoice(records.invoice(vendor_external_id=None, vendor_name=name)).reasons[0]
        assert found.code == "supplier_not_found"
        assert all(any(each in suggestion for suggestion in found.suggestions) for each in expected), found
