from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from stampli_infor_transforms.documents import AccountingPayment

if TYPE_CHECKING:
    from .conftest import Records, World

COMPANIES = "stampli_company,cono,divi,bank_bsid"


def test_whole_payment(paying: World, records: Records) -> None:
    mapping = paying.payment(records.payment())
    document = mapping.document
    assert mapping.reasons == ()
    assert isinstance(document, AccountingPayment)
    assert (document.bank, document.amount, document.method) == ("BANK1", Decimal("121.00"), "ACH")
    assert document.applications[0].source_key == '["invoice","","id","I-1"]'
    assert document.m3_key == '["100","AAA","Y2001","Y2001","P-1","PAYMENT"]'
    assert AccountingPayment.from_json(document.to_json()) == document


def test_bank_of_the_company(world: World, records: Records) -> None:
    mapping = world.table("companies", COMPANIES, "Acme,100,AAA,BANK9").payment(
        records.payment(company="Acme")
    )
    assert mapping.reasons == ()
    assert isinstance(mapping.document, AccountingPayment)
    assert mapping.document.bank == "BANK9"
    assert mapping.notes == (
        "Bank account 'Main' has no row in banks.csv: the company's bank BANK9 was taken.",
    )


def test_payment_known_by_its_reference(paying: World, records: Records) -> None:
    keys = set()
    for day in ("2026-02-14", "2026-02-15"):
        document = paying.payment(records.payment(payment_id=None, payment_date=day)).document
        assert isinstance(document, AccountingPayment)
        keys.add(document.m3_key)
    assert len(keys) == 2


def test_payment_takes_a_credit(paying: World, records: Records) -> None:
    applications = [
        {"invoice_id": None, "invoice_number": "INV-7", "amount": "150"},
        {"invoice_id": "I-2", "invoice_number": "CR-1", "amount": "-29"},
    ]
    mapping = paying.payment(records.payment(applications=applications))
    assert mapping.reasons == ()
    assert isinstance(mapping.document, AccountingPayment)
    assert [each.source_key for each in mapping.document.applications] == ["", '["invoice","","id","I-2"]']
