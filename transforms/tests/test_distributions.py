"""Invoices over several companies."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stampli_infor_transforms.companies import place_of
from stampli_infor_transforms.crosswalks import Crosswalks
from stampli_infor_transforms.distributions import names_other_companies, split_by_company
from stampli_infor_transforms.documents import AccountingInvoice
from stampli_infor_transforms.identity import content_hash, source_key
from stampli_infor_transforms.policy import Policy

if TYPE_CHECKING:
    from .conftest import Records, World

COMPANIES = ("stampli_company,cono,divi,bank_bsid", "A,100,AAA,", "B,100,BBB,", "B2,100,BBB,")


def _shape(parts: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    return [
        (
            part["company"],
            part["invoice_type"],
            part["total_amount"],
            part["tax_amount"],
            [(line["line_number"], line["amount"]) for line in part["lines"]],
        )
        for part in parts
    ]


def test_one_record_for_each_company(records: Records, world: World) -> None:
    record = records.invoice(
        company="A",
        total_amount=Decimal("363.00"),
        tax_amount=Decimal("63.00"),
        lines=[
            records.line(line_number="1"),
            records.line(line_number="2", company="B"),
            records.line(line_number="3", company="a"),
        ],
    )
    parts = split_by_company(record)
    assert _shape(parts) == [
        ("A", "INVOICE", Decimal(242), Decimal(42), [("1", Decimal(100)), ("3", Decimal(100))]),
        ("B", "INVOICE", Decimal(121), Decimal(21), [("2", Decimal(100))]),
    ]
    assert [source_key("invoices", part) for part in parts] == [
        '["invoice","A","id","I-1"]',
        '["invoice","part","[\\"invoice\\",\\"A\\",\\"id\\",\\"I-1\\"]","B"]',
    ]
    assert {part["_sdc_source_line"] for part in parts} == {2}
    assert parts[1]["split_from"] == {
        "company": "A",
        "total_amount": "363",
        "source_key": source_key("invoices", record),
        "content_hash": content_hash("invoices", record),
        "parts": 2,
        "part": 2,
    }
    assert all(split_by_company(part) == (part,) for part in parts)
    mappings = [world.table("companies", *COMPANIES).invoice(part) for part in parts]
    assert [mapping.reasons for mapping in mappings] == [(), ()]
    assert [mapping.document.divi for mapping in mappings if mapping.document] == ["AAA", "BBB"]
    assert mappings[1].notes == (
        "This is the part of company B of an invoice over 363 that Stampli holds for company A.",
    )


def test_an_invoice_all_of_whose_lines_are_for_another_company_is_that_company_s(records: Records) -> None:
    parts = split_by_company(records.invoice(company="A", lines=[records.line(company="B")]))
    assert [part["company"] for part in parts] == ["B"]


def test_the_header_s_company_comes_first_and_has_the_whole_s_key(records: Records) -> None:
    lines = [
        records.line(company="B"),
        records.line(line_number="2"),
        records.line(line_number="3", company="C"),
    ]
    record = records.invoice(company="A", total_amount=363, tax_amount=63, lines=lines)
    parts = split_by_company(record)
    assert [part["company"] for part in parts] == ["A", "B", "C"]
    assert source_key("invoices", parts[0]) == source_key("invoices", record)
    without_id = {**record, "invoice_id": None, "invoice_number": None}
    assert split_by_company(without_id) == (without_id,)


def test_a_company_that_nobody_knows_keeps_the_invoice_whole(records: Records, world: World) -> None:
    crosswalks = Crosswalks.parse({"companies.csv": "\n".join(COMPANIES)})
    for company, line in (("A", "X"), ("X", "B")):
        record = records.invoice(company=company, lines=[records.line(company=line)])
        assert split_by_company(
            record, place_of=lambda name: place_of(name, crosswalks=crosswalks, policy=Policy())
        ) == (record,)
    mapping = world.table("companies", *COMPANIES).invoice(
        records.invoice(company="A", lines=[records.line(company="X")])
    )
    assert [(each.code, each.field) for each in mapping.reasons] == [("unknown_company", "lines.1.company")]


def test_the_setting_says_why_an_invoice_stays_whole(records: Records, world: World) -> None:
    held = world.table("companies", *COMPANIES).having(line_companies="review")
    mapping = held.invoice(records.invoice(company="A", lines=[records.line(company="B")]))
    assert [each.code for each in mapping.reasons] == ["line_company_differs"]
    assert "line_companies" in mapping.reasons[0].text


@pytest.mark.parametrize(
    ("header", "lines", "other"),
    [
        ("A", [None, "a"], False),
        ("A", ["B"], True),
        (None, ["B"], True),
        ("A", [None], False),
        (None, [], False),
    ],
)
def test_naming_other_companies(
    header: str | None, lines: list[str | None], other: Any, records: Records
) -> None:
    rows = [records.line(company=company) for company in lines]
    assert names_other_companies(records.invoice(company=header, lines=rows)) is other


def test_nothing_to_split(records: Records) -> None:
    for record in (
        records.invoice(),
        records.invoice(company="A", lines=[records.line(company="A")]),
        records.invoice(lines=[]),
        records.invoice(lines="six"),
        records.invoice(lines=[1]),
    ):
        assert split_by_company(record)[0] is record


def test_companies_of_one_place_stay_together(records: Records, world: World) -> None:
    crosswalks = Crosswalks.parse({"companies.csv": "\n".join(COMPANIES)})
    record = records.invoice(
        company="A",
        total_amount=363,
        tax_amount=63,
        lines=[
            records.line(),
            records.line(line_number="2", company="B"),
            records.line(line_number="3", company="B2"),
        ],
    )
    parts = split_by_company(
        record, place_of=lambda name: place_of(name, crosswalks=crosswalks, policy=Policy())
    )
    assert [(part["company"], len(part["lines"])) for part in parts] == [("A", 1), ("B", 2)]
    assert [world.table("companies", *COMPANIES).invoice(part).reasons for part in parts] == [(), ()]


def test_tax_of_the_header_is_shared_by_net_amounts(records: Records) -> None:
    record = records.invoice(
        company="A",
        total_amount=Decimal("110.01"),
        tax_amount=Decimal("10.01"),
        lines=[
            records.line(amount=Decimal("33.33"), tax_amount=None),
            records.line(line_number="2", amount=Decimal("66.67"), tax_amount=None, company="B"),
        ],
    )
    assert [(part["total_amount"], part["tax_amount"]) for part in split_by_company(record)] == [
        (Decimal("36.67"), Decimal("3.34")),
        (Decimal("73.34"), Decimal("6.67")),
    ]


@pytest.mark.parametrize(
    ("kind", "sign", "expected"),
    [
        ("INVOICE", 1, [("INVOICE", 150), ("CREDIT_MEMO", -50)]),
        ("CREDIT_MEMO", 1, [("CREDIT_MEMO", 150), ("INVOICE", 50)]),
        ("CREDIT_MEMO", -1, [("CREDIT_MEMO", -150), ("INVOICE", 50)]),
        ("INVOICE", -1, [("INVOICE", -150), ("INVOICE", 50)]),
    ],
)
def test_a_part_whose_sign_is_the_other(
    kind: str, sign: int, expected: list[tuple[str, int]], records: Records, world: World
) -> None:
    record = records.invoice(
        company="A",
        invoice_type=kind,
        total_amount=sign * 100,
        tax_amount=None,
        lines=[
            records.line(amount=sign * 150, tax_amount=None, tax_code=None),
            records.line(line_number="2", amount=sign * -50, tax_amount=None, tax_code=None, company="B"),
        ],
    )
    parts = split_by_company(record)
    assert [(part["invoice_type"], part["total_amount"]) for part in parts] == expected
    mappings = [world.table("companies", *COMPANIES).invoice(part) for part in parts]
    assert [mapping.reasons for mapping in mappings] == [(), ()]
    documents = [mapping.document for mapping in mappings if isinstance(mapping.document, AccountingInvoice)]
    assert sum(document.total for document in documents) == (
        -100 if kind == "CREDIT_MEMO" or sign < 0 else 100
    )
    assert {document.kind for document in documents} == {"INVOICE", "CREDIT_MEMO"}


@pytest.mark.parametrize(
    ("head", "line"),
    [
        ({}, {"amount": None}),
        ({}, {"amount": "x"}),
        ({}, {"tax_amount": 1.5}),
        ({"total_amount": None}, {}),
        ({"total_amount": 1}, {}),
        ({"tax_amount": 1}, {}),
        (
            {"invoice_type": "CREDIT_MEMO", "total_amount": 0, "tax_amount": 0},
            {"amount": -100, "tax_amount": -21},
        ),
        ({"tax_amount": "x"}, {}),
        ({"tax_amount": 42, "total_amount": 242}, {"tax_amount": None, "tax_code": "7"}),
    ],
)
def test_what_would_be_a_guess_stays_whole(
    head: dict[str, Any], line: dict[str, Any], records: Records, world: World
) -> None:
    first = records.line(tax_amount=None if "tax_code" in line else 21)
    record = records.invoice(
        **{
            "company": "A",
            "total_amount": 242,
            "tax_amount": 42,
            "lines": [first, records.line(line_number="2", company="B", **line)],
            **head,
        }
    )
    assert split_by_company(record) == (record,)
    codes = {each.code for each in world.table("companies", *COMPANIES).invoice(record).reasons}
    assert "line_company_differs" in codes


CENTS = st.integers(-(10**9), 10**9).map(lambda cents: Decimal(cents) / 100)


@given(
    st.lists(
        st.tuples(CENTS, CENTS | st.none(), st.sampled_from([None, "A", "B", "C"])), min_size=1, max_size=6
    ),
    st.sampled_from(["INVOICE", "CREDIT_MEMO", None]),
    st.booleans(),
)
def test_parts_add_up_to_the_whole(
    rows: list[tuple[Decimal, Decimal | None, str | None]], kind: str | None, in_header: Any
) -> None:
    net = sum((net for net, _, _ in rows), Decimal())
    tax = sum((tax or Decimal() for _, tax, _ in rows), Decimal())
    lines = [
        {"amount": net, "tax_amount": None if in_header else tax, "company": company, "line_number": str(at)}
        for at, (net, tax, company) in enumerate(rows)
    ]
    record = {
        "company": "A",
        "invoice_id": "I",
        "invoice_type": kind,
        "currency": "EUR",
        "total_amount": net + tax,
        "tax_amount": tax,
        "lines": lines,
    }
    parts = split_by_company(record)
    assert parts == split_by_company(record)
    assert sorted(line["line_number"] for part in parts for line in part["lines"]) == [
        str(at) for at in range(len(rows))
    ]
    turned = kind == "CREDIT_MEMO" and net + tax > 0
    totals = [
        -part["total_amount"] if turned and part["invoice_type"] == "INVOICE" else part["total_amount"]
        for part in parts
    ]
    assert sum(totals, Decimal()) == net + tax
    assert len({source_key("invoices", part) for part in parts}) == len(parts)
    if len(parts) > 1:
        backwards = split_by_company({**record, "lines": lines[::-1]})
        if not in_header:
            assert {part["company"]: part["total_amount"] for part in backwards} == {
                part["company"]: part["total_amount"] for part in parts
            }
