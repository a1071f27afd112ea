"""The tap's sample documents, mapped as a run would map them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from stampli_infor_transforms.documents import AccountingInvoice
from stampli_infor_transforms.mapping import map_invoice, map_payment
from stampli_infor_transforms.reference import Reference

from target_infor_cloudsuite.doctor.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from stampli_infor_transforms.crosswalks import Crosswalks
    from stampli_infor_transforms.documents import AccountingPayment
    from stampli_infor_transforms.policy import Policy
    from stampli_infor_transforms.reference import CompanyReference

_MAPS = {"invoices": map_invoice, "payments": map_payment}


def mapped(
    samples: Mapping[str, dict[str, Any]],
    policy: Policy,
    crosswalks: Crosswalks,
    companies: Mapping[int, CompanyReference],
) -> Iterator[Finding]:
    """What would become of the first document of each stream of documents."""
    for stream, map_record in _MAPS.items():
        if stream not in samples or not companies:
            continue
        mapping = map_record(
            samples[stream],
            crosswalks=crosswalks,
            reference=Reference(dict(companies)),
            policy=policy,
            today=datetime.now(UTC).date(),
        )
        number = samples[stream].get("invoice_number") or samples[stream].get("payment_id") or "(no number)"
        text = f"{number}{_shown(mapping.document)}"
        if mapping.reasons:
            held = "; ".join(f"{each.code}: {each.text}" for each in mapping.reasons)
            yield Finding(f"sample of {stream}", "warning", f"{text}; held for review: {held}", "As it says.")
        else:
            yield Finding(f"sample of {stream}", "ok", f"{text}; ready to be posted")


def _shown(document: AccountingInvoice | AccountingPayment | None) -> str:
    if document is None:
        return ""
    amount = document.total if isinstance(document, AccountingInvoice) else document.amount
    parts = (
        f"{len(document.lines)} lines"
        if isinstance(document, AccountingInvoice)
        else f"{len(document.applications)} invoices"
    )
    where = f"company {document.cono} {document.divi}, supplier {document.supplier}"
    return f" becomes {where}, {amount} {document.currency}, {parts}"
