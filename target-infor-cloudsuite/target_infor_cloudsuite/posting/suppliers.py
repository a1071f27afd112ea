"""Status, payee and tax number of the suppliers that documents name: one bulk read for the unknown."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from target_infor_cloudsuite.supplier_details import load_details

if TYPE_CHECKING:
    from collections.abc import Collection

    from stampli_infor_transforms.reference import Supplier

    from target_infor_cloudsuite.posting.context import Context


def complete_suppliers(context: Context, wanted: Collection[tuple[int, str]]) -> bool:
    """Learn the status of these suppliers (CONO, SUNO) where it is unknown; whether anything was."""
    unknown: dict[int, list[str]] = defaultdict(list)
    for cono, suno in sorted(wanted):
        company = context.reference.companies.get(cono)
        known = None if company is None else company.supplier(suno)
        if known is not None and not known.status and (cono, suno) not in context.detailed:
            unknown[cono].append(suno)
    for cono, sunos in unknown.items():
        rows = load_details(
            context.settings, context.ledger, context.gateway, cono, sunos, clock=context.clock
        )
        context.use_suppliers(cono, [_merged(context, cono, row) for row in rows.values()])
    return bool(unknown)


def _merged(context: Context, cono: int, row: Supplier) -> Supplier:
    """GetBasicData's row with the references that only the list of suppliers brought."""
    listed = context.reference.companies[cono].supplier(row.suno)
    return row if listed is None else replace(row, references=listed.references)
