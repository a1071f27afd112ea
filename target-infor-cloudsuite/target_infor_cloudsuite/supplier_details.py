"""What M3 tells of a supplier only when asked for it by number: its status and its tax number."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from stampli_infor_transforms.reference import Supplier

from target_infor_cloudsuite.ledger import reference
from target_infor_cloudsuite.m3.reference import supplier_details

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from stampli_infor_transforms.reference import CompanyReference

    from target_infor_cloudsuite.clock import Clock
    from target_infor_cloudsuite.ion.gateway import Gateway
    from target_infor_cloudsuite.ledger import Ledger
    from target_infor_cloudsuite.settings import Settings


def load_details(  # noqa: PLR0913 - keyword-only where it matters
    settings: Settings, ledger: Ledger, gateway: Gateway, cono: int, sunos: Collection[str], *, clock: Clock
) -> Mapping[str, Supplier]:
    """Suppliers by number with status and tax number: the ledger's copies while young enough, else M3's.

    A copy older than the list of suppliers that is kept is not young enough: the list knows more.
    """
    rows = _kept(settings, ledger, cono, sunos, clock)
    missing = [suno for suno in sunos if suno not in rows]
    if missing:
        read_at = clock.now()
        found = {row.suno: row for row in supplier_details(gateway, cono, missing)}
        with ledger.write() as tx:
            for suno, row in found.items():
                reference.keep(tx, f"supplier:{cono}:{suno}", row.to_json(), read_at=read_at)
        rows |= found
    return rows


def without_status(company: CompanyReference) -> list[str]:
    """The numbers of the suppliers whose status the list of suppliers did not tell."""
    return [suno for suno, each in sorted(company.suppliers.items()) if not each.status]


def _kept(
    settings: Settings, ledger: Ledger, cono: int, sunos: Collection[str], clock: Clock
) -> dict[str, Supplier]:
    oldest = clock.now() - timedelta(minutes=int(settings["reference_max_age_minutes"]))
    rows: dict[str, Supplier] = {}
    with ledger.read() as tx:
        listed_at = reference.read_at(tx, f"company:{cono}")
        oldest = max(oldest, listed_at or oldest)
        for suno in sunos:
            kept = reference.kept(tx, f"supplier:{cono}:{suno}")
            if kept is not None and kept[1] >= oldest:
                rows[suno] = Supplier.from_json(kept[0])
    return rows
