"""What holds for every record and every amount, not only for those thought of."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st
from stampli_infor_transforms.crosswalks import Crosswalks
from stampli_infor_transforms.documents import AccountingInvoice, AccountingPayment
from stampli_infor_transforms.identity import IdentityError, content_hash, is_approved, source_key
from stampli_infor_transforms.mapping import map_invoice, map_payment
from stampli_infor_transforms.money import split
from stampli_infor_transforms.policy import Policy
from stampli_infor_transforms.reasons import REASONS
from stampli_infor_transforms.reference import (
    Company,
    CompanyReference,
    DimensionValue,
    Reference,
    Supplier,
    TaxCode,
)

if TYPE_CHECKING:
    import random

    from stampli_infor_transforms.documents import Mapping

REFERENCE = Reference(
    {
        100: CompanyReference(
            company=Company(100, "EUR"),
            suppliers=[Supplier("Y1", "Example Ltd", status="20", tax_code="1")],
            dimensions=[DimensionValue(1, "6100"), DimensionValue(3, "C")],
            tax_codes=[TaxCode("1")],
        )
    }
)
SHARES = "cono,divi,allocation,share_percent,ait1,ait2,ait3,ait4,ait5,ait6,ait7"
CROSSWALKS = Crosswalks.parse(
    {
        "allocations.csv": f"{SHARES}\n100,,A,33.3,,,C,,,,\n100,,A,66.7,,,,,,,",
        "banks.csv": "cono,divi,stampli_bank_account,bsid\n100,,B,B",
    }
)
POLICY = Policy(cono=100, dimensions={"cost_center": "ait3"})
TODAY = date(2026, 3, 1)

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text(max_size=12)
    | st.sampled_from(
        [
            "Y1",
            "6100",
            "C",
            "A",
            "1",
            "EUR",
            "JPY",
            "CREDIT_MEMO",
            "2026-01-15",
            "100.00",
            "-1",
            "\ud800",
            "9" * 400,
        ]
    )
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
LINE_FIELDS = (
    "line_number",
    "amount",
    "tax_amount",
    "tax_code",
    "description",
    "gl_account",
    "department",
    "cost_center",
    "company",
    "allocation",
    "invoice_id",
    "invoice_number",
)
FIELDS = (
    "company",
    "invoice_id",
    "invoice_number",
    "invoice_type",
    "payment_id",
    "reference",
    "vendor_id",
    "vendor_external_id",
    "vendor_name",
    "invoice_date",
    "due_date",
    "posting_date",
    "payment_date",
    "currency",
    "total_amount",
    "tax_amount",
    "payment_amount",
    "bank_account",
    "payment_terms",
    "po_number",
    "status",
)
PARTS = st.lists(st.dictionaries(st.sampled_from(LINE_FIELDS), ANYTHING) | ANYTHING, max_size=3) | ANYTHING
RECORDS = st.dictionaries(st.sampled_from(FIELDS), ANYTHING).flatmap(
    lambda head: PARTS.map(lambda parts: {**head, "lines": parts, "applications": parts})
)


def _invoice(record: Any) -> Mapping:
    return map_invoice(record, crosswalks=CROSSWALKS, reference=REFERENCE, policy=POLICY, today=TODAY)


def _payment(record: Any) -> Mapping:
    return map_payment(record, crosswalks=CROSSWALKS, reference=REFERENCE, policy=POLICY, today=TODAY)


@settings(max_examples=300)
@given(RECORDS | ANYTHING)
def test_no_record_raises(record: Any) -> None:
    for mapping in (_invoice(record), _payment(record)):
        assert mapping.document is not None or mapping.reasons
        for each in mapping.reasons:
            assert each.code in REASONS
            each.text.encode()
        if isinstance(mapping.document, AccountingInvoice):
            assert AccountingInvoice.from_json(mapping.document.to_json()) == mapping.document
        if isinstance(mapping.document, AccountingPayment):
            assert AccountingPayment.from_json(mapping.document.to_json()) == mapping.document
    if not isinstance(record, dict):
        return
    for stream in ("invoices", "payments"):
        assert len(content_hash(stream, record)) == 64
        is_approved(record, ("paid",))
        with suppress(IdentityError):
            assert source_key(stream, record).isascii()


CENTS = st.integers(-(10**12), 10**12).map(lambda cents: Decimal(cents) / 100)
GOOD_LINES = st.lists(
    st.fixed_dictionaries(
        {
            "amount": CENTS,
            "tax_amount": CENTS | st.none(),
            "gl_account": st.just("6100"),
            "cost_center": st.sampled_from([None, "C"]),
            "allocation": st.sampled_from([None, "A"]),
        }
    ),
    min_size=1,
    max_size=6,
)


@given(
    GOOD_LINES,
    st.sampled_from(["header", "lines"]),
    st.sampled_from([Decimal(0), Decimal("0.01"), Decimal(-1)]),
)
def test_what_may_be_posted_is_balanced(lines: list[dict[str, Any]], tax_in: str, error: Decimal) -> None:
    net = sum((line["amount"] for line in lines), Decimal())
    tax = sum((line["tax_amount"] or Decimal() for line in lines), Decimal())
    mapping = _invoice(
        {
            "invoice_id": "I",
            "invoice_number": "N",
            "vendor_external_id": "Y1",
            "invoice_date": "2026-01-15",
            "currency": "EUR",
            "total_amount": net + tax + error,
            "tax_amount": tax if tax_in == "header" else None,
            "lines": lines,
        }
    )
    document = mapping.document
    assert isinstance(document, AccountingInvoice)
    sums = sum((line.amount + line.tax for line in document.lines), Decimal())
    codes = {each.code for each in mapping.reasons}
    if error:
        assert codes & {"unbalanced", "contradicting_signs", "no_lines"}
    else:
        assert codes <= {"no_lines"}
        assert document.total == sums
        assert document.tax_total == sum((line.tax for line in document.lines), Decimal())
        assert (document.total < 0) == (document.kind == "CREDIT_MEMO")


@given(
    st.integers(-(10**14), 10**14),
    st.lists(st.integers(1, 10_000), min_size=1, max_size=8),
    st.sampled_from([("EUR", 2), ("JPY", 0), ("KWD", 3), ("???", 2)]),
)
def test_split_loses_nothing(units: int, weights: list[int], currency: tuple[str, int]) -> None:
    percents = [Decimal(weight * 100) / Decimal(sum(weights)) for weight in weights]
    percents = [percent.quantize(Decimal("0.0001")) for percent in percents[:-1]]
    percents.append(100 - sum(percents, Decimal()))
    unit = Decimal(1).scaleb(-currency[1])
    amount = units * unit
    parts = split(amount, percents, currency[0])
    assert sum(parts, Decimal()) == amount
    for part, percent in zip(parts, percents, strict=True):
        assert part == part.quantize(unit)
        assert abs(part - amount * percent / 100) < unit


def test_split_of_an_amount_finer_than_its_currency_keeps_all_of_it() -> None:
    assert split(Decimal("644.1"), [Decimal(50), Decimal(50)], "JPY") == [Decimal("322.1"), Decimal("322.0")]


@given(GOOD_LINES, st.randoms(use_true_random=False), st.sampled_from(["Example Ltd", "Exampel", "Zzz"]))
def test_the_order_of_lines_and_of_documents_changes_nothing(
    lines: list[dict[str, Any]], chance: random.Random, vendor: str
) -> None:
    numbered = [line | {"line_number": str(at), "allocation": None} for at, line in enumerate(lines, 1)]
    record = {
        "invoice_id": "I",
        "invoice_number": "N",
        "vendor_name": vendor,
        "invoice_date": "2026-01-15",
        "currency": "EUR",
        "total_amount": sum((line["amount"] + (line["tax_amount"] or 0) for line in lines), Decimal()),
        "lines": numbered,
    }
    first = _invoice(record)
    chance.shuffle(numbered)
    _invoice(record | {"vendor_name": "Somebody Else"})
    second = _invoice(record | {"lines": numbered})
    assert set(first.reasons) == set(second.reasons)
    assert _unordered(first) == _unordered(second)
    assert _invoice(record | {"lines": numbered}) == second


def _unordered(mapping: Mapping) -> dict[str, Any]:
    assert isinstance(mapping.document, AccountingInvoice)
    content = mapping.document.to_json()
    return content | {"lines": sorted(json.dumps(line) for line in content["lines"])}
