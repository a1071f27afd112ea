"""The mapping stage's front door: documents in, accounting documents or reasons out."""

from __future__ import annotations

from stampli_infor_transforms.checks import check_invoice, check_payment
from stampli_infor_transforms.documents import Mapping
from stampli_infor_transforms.invoices import map_invoice
from stampli_infor_transforms.payments import map_payment

__all__ = ["Mapping", "check_invoice", "check_payment", "map_invoice", "map_payment"]
