"""APS200MI: what M3's AP ledger holds of an invoice, and what of it is paid and open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_infor_cloudsuite.ion.answers import Transaction
from target_infor_cloudsuite.m3.values import from_mi_amount

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

PROGRAM = "APS200MI"
REQUIRED = ("GetInvTotInfo",)


@dataclass(frozen=True, slots=True)
class LedgerInvoice:
    """An invoice in M3's AP ledger. Amounts are in its currency and signed; a credit is negative."""

    year: str
    payee: str
    supplier: str
    number: str
    currency: str
    amount: Decimal
    paid: Decimal
    open: Decimal
    voucher: str


def get_invoice(*, divi: str, payee: str, supplier: str, number: str, year: int) -> Transaction:
    """GetInvTotInfo: an invoice of one year, or XRE0103 where there is none. All five are mandatory."""
    return Transaction(
        "GetInvTotInfo",
        {"DIVI": divi, "SPYN": payee, "SUNO": supplier, "SINO": number, "INYR": str(year)},
    )


def invoice_of(record: Mapping[str, str]) -> LedgerInvoice:
    """What GetInvTotInfo answered."""
    return LedgerInvoice(
        year=record.get("INYR", ""),
        payee=record.get("SPYN", ""),
        supplier=record.get("SUNO", ""),
        number=record.get("SINO", ""),
        currency=record.get("CUCD", ""),
        amount=from_mi_amount(record.get("CUAM", "")),
        paid=from_mi_amount(record.get("PCUA", "")),
        open=from_mi_amount(record.get("OCUA", "")),
        voucher=f"{record.get('VSER', '')} {record.get('VONO', '')}".strip(),
    )
