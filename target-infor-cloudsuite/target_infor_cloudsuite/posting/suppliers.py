"""Status, payee and tax number of the suppliers that documents name: one bulk read for the unknown."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from stampli_infor_transforms.reference import Supplier

from target_infor_cloudsuite.ledger import reference
from target_infor_cloudsuite.m3.reference import supplier_details

if TYPE_CHECKING:
    from collections.abc import Collection

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
        rows = _kept(context, cono, sunos)
        missing = [suno for suno in sunos if suno not in rows]
        if missing:
            read_at = context.clock.now()
            found = {row.suno: row for row in supplier_details(context.gateway, cono, missing)}
            with context.ledger.write() as tx:
                for suno, row in found.items():
                    reference.keep(tx, f"supplier:{cono}:{suno}", row.to_json(), read_at=read_at)
            rows |= found
        context.use_suppliers(cono, [_merged(context, cono, row) for row in rows.values()])
    return bool(unknown)


def _kept(context: Context, cono: int, sunos: Collection[str]) -> dict[str, Supplier]:
    oldest = context.clock.now() - timedelta(minutes=int(context.settings["reference_max_age_minutes"]))
    rows: dict[str, Supplier] = {}
    with context.ledger.read() as tx:
        for suno in sunos:
            kept = reference.kept(tx, f"supplier:{cono}:{suno}")
            if kept is not None and kept[1] >= oldest:
                rows[suno] = Supplier.from_json(kept[0])
    return rows


def _merged(context: Context, cono: int, row: Supplier) -> Supplier:
    """GetBasicData's row with the references that only the list of suppliers brought."""
    listed = context.reference.companies[cono].supplier(row.suno)
    return row if listed is None else replace(row, references=listed.references)
