"""Putting a run together: crosswalks, the way to M3, what the tenant offers, reference data."""

from __future__ import annotations

import logging
import uuid
from typing import TYPE_CHECKING

from stampli_infor_transforms.policy import SettingsError
from stampli_infor_transforms.reference import Reference

from target_infor_cloudsuite.clock import Clock
from target_infor_cloudsuite.ion.credentials import IonCredentials
from target_infor_cloudsuite.ion.gateway import Gateway
from target_infor_cloudsuite.ion.pacing import Pacer
from target_infor_cloudsuite.kept_reference import load_company
from target_infor_cloudsuite.ledger import documents
from target_infor_cloudsuite.ledger.states import Status
from target_infor_cloudsuite.mapping_control import hints_of, in_force
from target_infor_cloudsuite.posting.context import Context
from target_infor_cloudsuite.tenant import company_setup
from target_infor_cloudsuite.worker import worker_name

if TYPE_CHECKING:
    from stampli_infor_transforms.crosswalks import Crosswalks
    from stampli_infor_transforms.hints import Hints

    from target_infor_cloudsuite.ledger import Ledger
    from target_infor_cloudsuite.settings import Settings

_log = logging.getLogger(__name__)


def new_run_id() -> str:
    """A name for a run, 32 hexadecimal digits."""
    return uuid.uuid4().hex


def open_gateway(settings: Settings, ledger: Ledger | None = None) -> Gateway:
    """The way to M3, from the settings. Nothing is sent yet.

    Args:
        settings: The settings.
        ledger: Open; whoever works on it shares one request budget. Without it the budget is this process's.

    Raises:
        CredentialsError: The .ionapi cannot be used.
        LedgerError: The ledger cannot be used.
    """
    if settings.ionapi is not None:
        credentials = IonCredentials.load(text=settings.ionapi)
    else:
        credentials = IonCredentials.load(path=settings.ionapi_path)
    return Gateway(
        credentials,
        pacer=Pacer(
            int(settings["requests_per_minute"]), store=None if ledger is None else ledger.request_budget()
        ),
        max_in_flight=int(settings["max_in_flight"]),
        timeout_seconds=float(settings["request_timeout_seconds"]),
        max_transactions=int(settings["max_transactions_per_request"]),
    )


def company_numbers(settings: Settings, crosswalks: Crosswalks) -> list[int]:
    """The M3 companies that documents can go to.

    Raises:
        SettingsError: There is none.
    """
    numbers = set(crosswalks.company_numbers())
    if settings.policy.cono is not None:
        numbers.add(settings.policy.cono)
    if not numbers:
        raise SettingsError("cono", "is missing: set it, or fill companies.csv in the crosswalk_dir.")
    return sorted(numbers)


def prepare(  # noqa: PLR0913 - what a run is made of
    settings: Settings,
    ledger: Ledger,
    gateway: Gateway,
    *,
    run_id: str = "",
    worker: str = "",
    clock: Clock | None = None,
) -> Context:
    """Everything a run works with.

    Raises:
        CrosswalkError, SettingsError, SetupError: A person has to mend something first.
        IonError: M3 cannot be reached or turns us away.
    """
    clock = clock or Clock()
    chosen = in_force(settings, ledger, at=clock.now())
    crosswalks = chosen.crosswalks
    numbers = sorted({*company_numbers(settings, crosswalks), *_companies_on_the_way(ledger)})
    companies = {cono: load_company(settings, ledger, gateway, cono, clock=clock) for cono in numbers}
    context = Context(
        settings=settings,
        ledger=ledger,
        gateway=gateway,
        crosswalks=crosswalks,
        reference=Reference(companies),
        companies={},
        clock=clock,
        run_id=run_id or new_run_id(),
        worker_name=worker or worker_name(),
        hints=_hints(ledger),
        approved_mappings=chosen.approved,
    )
    if chosen.waiting:
        _log.error("%s", chosen.warning)
        with ledger.write() as tx:
            details = {"version": chosen.waiting, "used": crosswalks.version}
            context.event(tx, "mapping.waits", details)
    for cono in numbers:
        context.companies[cono] = company_setup(context, cono)
    return context


def _hints(ledger: Ledger) -> Hints:
    with ledger.read() as tx:
        return hints_of(tx)


def _companies_on_the_way(ledger: Ledger) -> set[int]:
    """Companies that M3 may hold something of already, also when the crosswalks no longer name them."""
    statuses = [Status.POSTING.value, Status.IN_DOUBT.value]
    with ledger.read() as tx:
        found = documents.find(tx, kinds=("invoice", "payment"), statuses=statuses)
    return {each.cono for each in found if each.cono is not None}
