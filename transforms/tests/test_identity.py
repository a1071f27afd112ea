from __future__ import annotations

import json
from decimal import Decimal
from itertools import combinations
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stampli_infor_transforms.identity import (
    IdentityError,
    content_hash,
    fold_number,
    is_approved,
    is_paid,
    normalise_number,
    source_key,
)

if TYPE_CHECKING:
    from .conftest import Records


@pytest.mark.parametrize(
    ("sent", "key"),
    [
        ("inv-7", "INV-7"),
        ("  INV \t 7 ", "INV 7"),
        ("\uff29NV\u00a07", "INV 7"),
        ("straße 1", "STRASSE 1"),
        ("007", "007"),
    ],
)
def test_normalise(sent: str, key: str) -> None:
    assert normalise_number(sent) == key


@pytest.mark.parametrize(
    "alike",
    [
        (
            "INV-7",
            "inv 7",
            "INV007",
            "INV-0007",
            "1NV-7",
            "lnv/7",
            "INV-7A",
            "INV-7R",
            "INV-7-COPY",
            "INV7 dup",
        ),
        ("PO-100", "PO 100", "P0-100", "PO-1OO", "PO-0100"),
        ("BILL-0042", "BILL42", "BI1L-42"),
        ("2026/0012", "2026-12", "2026-012R"),
        ("O7", "07", "7"),
    ],
)
def test_fold_makes_alike(alike: tuple[str, ...]) -> None:
    assert len({fold_number(each) for each in alike}) == 1


def test_fold_keeps_apart() -> None:
    apart = [
        "RE-2026-7",
        "RE-2026-8",
        "RE-2026-70",
        "RE-2025-7",
        "R-2026-7",
        "7",
        "70",
        "1007",
        "107",
        "A",
        "B",
        "-",
        "--",
    ]
    assert [pair for pair in combinations(apart, 2) if fold_number(pair[0]) == fold_number(pair[1])] == []


@given(st.text(max_size=30))
def test_normalising_again_changes_nothing(text: str) -> None:
    once = normalise_number(text)
    assert normalise_number(once) == once
    assert fold_number(once) == fold_number(text)


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({}, '["invoice","ACME","id","I-1"]'),
        ({"invoice_id": None}, '["invoice","ACME","vendor_id","V100","INV-7","INVOICE"]'),
        (
            {"invoice_id": " ", "vendor_id": None, "invoice_type": "CREDIT_MEMO"},
            '["invoice","ACME","vendor_external_id","Y2001","INV-7","CREDIT_MEMO"]',
        ),
        (
            {"invoice_id": None, "vendor_id": None, "vendor_external_id": "", "total_amount": Decimal(-1)},
            '["invoice","ACME","vendor_name","EXAMPLE LTD","INV-7","CREDIT_MEMO"]',
        ),
    ],
)
def test_invoice_key(records: Records, changes: dict[str, Any], key: str) -> None:
    assert source_key("invoices", records.invoice(company="acme ", **changes)) == key


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({}, '["payment","","id","P-1"]'),
        ({"payment_id": None}, '["payment","","vendor_id","V100","TRACE 1","2026-02-14"]'),
    ],
)
def test_payment_key(records: Records, changes: dict[str, Any], key: str) -> None:
    assert source_key("payments", records.payment(**changes)) == key


@pytest.mark.parametrize(
    ("stream", "changes", "code"),
    [
        ("invoices", {"invoice_number": None}, "number_missing"),
        ("invoices", {"vendor_id": None, "vendor_external_id": None, "vendor_name": None}, "vendor_missing"),
        ("payments", {"reference": None}, "number_missing"),
    ],
)
def test_no_identity(records: Records, stream: str, changes: dict[str, Any], code: str) -> None:
    record = records.invoice(invoice_id=None) if stream == "invoices" else records.payment(payment_id=None)
    with pytest.raises(IdentityError) as caught:
        source_key(stream, {**record, **changes})
    assert caught.value.reason.code == code


def test_other_streams_have_no_key() -> None:
    with pytest.raises(ValueError, match="'vendors' has no documents"):
        source_key("vendors", {})


TEXTS = st.text(st.sampled_from('ab",[]|\\ \u00fc'), max_size=4)


@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS, TEXTS), min_size=2, max_size=20))
def test_keys_collide_only_when_their_parts_are_equal(documents: list[tuple[str, str, str, str]]) -> None:
    seen: dict[str, tuple[str, ...]] = {}
    for company, invoice_id, vendor_id, number in documents:
        record = {
            "company": company,
            "invoice_id": invoice_id,
            "vendor_id": vendor_id,
            "invoice_number": number,
        }
        try:
            key = source_key("invoices", record)
        except IdentityError:
            continue
        same = normalise_number(company), invoice_id.strip()
        parts = same if same[1] else (same[0], vendor_id.strip(), normalise_number(number), "number")
        assert key.isascii()
        assert seen.setdefault(key, parts) == parts


def test_hash_ignores_how_a_value_is_written(records: Records) -> None:
    first = content_hash("invoices", records.invoice())
    for total in (121, "121", "121.0", Decimal("121.000"), Decimal("1.21E+2")):
        changed = records.invoice(
            total_amount=total,
            po_number="",
            memo="  ",
            status="Paid",
            approved_at=None,
            extra={"a": 1},
            _sdc_source_line=9,
        )
        del changed["due_date"]
        assert content_hash("invoices", {**changed, "due_date": "2026-02-14"}) == first


@pytest.mark.parametrize(
    "changes",
    [
        {"total_amount": Decimal("121.01")},
        {"total_amount": Decimal(-121)},
        {"vendor_id": "V101"},
        {"currency": "USD"},
        {"due_date": None},
        {"lines": []},
        {"memo": "new"},
    ],
)
def test_hash_sees_what_is_posted(records: Records, changes: dict[str, Any]) -> None:
    assert content_hash("invoices", records.invoice(**changes)) != content_hash("invoices", records.invoice())


def test_hash_sees_lines_and_their_order(records: Records) -> None:
    first, second = records.line(), records.line(line_number="2", gl_account="6200")
    hashes = {
        content_hash("invoices", records.invoice(lines=lines))
        for lines in ([first, second], [second, first], [first], [first, {**second, "project": "P"}])
    }
    assert len(hashes) == 4
    noted = [{**first, "extra": {"x": "y"}}, second]
    assert content_hash("invoices", records.invoice(lines=noted)) in hashes


def test_hash_of_a_payment_sees_its_applications(records: Records) -> None:
    payment = records.payment()
    fewer = records.payment(applications=[{"invoice_id": "I-1", "invoice_number": "INV-7", "amount": 120}])
    assert content_hash("payments", payment) != content_hash("payments", fewer)
    assert content_hash("payments", payment) == content_hash(
        "payments", json.loads(json.dumps(payment, default=str))
    )


@pytest.mark.parametrize(
    ("status", "approved"),
    [
        (None, True),
        ("", True),
        (" ", True),
        ("APPROVED", True),
        ("exported ", True),
        ("Draft", False),
        (["x"], False),
    ],
)
def test_approved(status: Any, *, approved: bool) -> None:
    assert is_approved({"status": status}, ("approved", "Exported")) is approved
    assert is_paid({"status": status}, ("approved", "Exported")) is approved
