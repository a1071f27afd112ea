"""M3's reference data for commands: the ledger's copy while it is young enough, else read from M3."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from stampli_infor_transforms.reference import Reference

from target_infor_cloudsuite.clock import Clock
from target_infor_cloudsuite.kept_reference import load_company
from target_infor_cloudsuite.ledger import Ledger
from target_infor_cloudsuite.settings import read_settings
from target_infor_cloudsuite.setup import company_numbers, open_gateway
from target_infor_cloudsuite.supplier_details import load_details, without_status

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from stampli_infor_transforms.crosswalks import Crosswalks

    from target_infor_cloudsuite.cli.session import Session
    from target_infor_cloudsuite.settings import Settings


def load_reference(
    session: Session,
    crosswalks: Crosswalks,
    *,
    fresh: bool = False,
    statuses_of: Callable[[Reference], Mapping[int, Collection[str]]] | None = None,
) -> Reference:
    """The reference data of every company that the crosswalks and settings lead to.

    Args:
        session: The call of the command.
        crosswalks: The tables that name the companies.
        fresh: Read it from M3 whatever its age.
        statuses_of: Of which suppliers, by company, the status has to be known. M3 tells it one by one, so
            that it is asked for no more than is needed.

    Raises:
        SettingsError: No company is named, or the way to M3 is not.
        IonError: M3 cannot be reached or turns us away.
    """
    settings, clock = read_settings(session.config), Clock()
    numbers = company_numbers(settings, crosswalks)
    with closing(_opened(settings)) as ledger, open_gateway(settings, ledger) as gateway:
        found = Reference(
            {
                cono: load_company(settings, ledger, gateway, cono, clock=clock, fresh=fresh)
                for cono in numbers
            }
        )
        for cono, sunos in (statuses_of(found) if statuses_of else {}).items():
            company = found.companies[cono]
            unknown = sorted(set(sunos) & set(without_status(company)))
            rows = load_details(settings, ledger, gateway, cono, unknown, clock=clock)
            known = [
                replace(row, references=company.suppliers[suno].references) for suno, row in rows.items()
            ]
            found = found.with_company(company.with_suppliers(known))
    return found


def _opened(settings: Settings) -> Ledger:
    ledger = Ledger(settings.ledger_url)
    ledger.open()
    return ledger
