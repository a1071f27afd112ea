"""Putting a run together: crosswalks, the way to M3, what the tenant offers, reference data."""

from __future__ import annotations

import logging
import uuid
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from stampli_infor_transforms.policy import SettingsError
from stampli_infor_transforms.reference import CompanyReference, Reference

from target_infor_cloudsuite.clock import Clock
from target_infor_cloudsuite.ion.answers import Outcome
from target_infor_cloudsuite.ion.credentials import IonCredentials
from target_infor_cloudsuite.ion.gateway import Gateway
from target_infor_cloudsuite.ion.pacing import Pacer
from target_infor_cloudsuite.ledger import documents, reference
from target_infor_cloudsuite.ledger.states import Status
from target_infor_cloudsuite.m3.catalog import Catalog
from target_infor_cloudsuite.m3.reference import read_company, since_mark, supplier_references
from target_infor_cloudsuite.mapping_control import hints_of, in_force
from target_infor_cloudsuite.posting.context import CompanySetup, Context
from target_infor_cloudsuite.programs import INVOICE_PROGRAMS, abs100, ap_ledger, gls840, road_named
from target_infor_cloudsuite.worker import worker_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from stampli_infor_transforms.crosswalks import Crosswalks
    from stampli_infor_transforms.hints import Hints

    from target_infor_cloudsuite.ledger import Ledger, Tx
    from target_infor_cloudsuite.programs.invoice_batch import InvoiceBatchProgram
    from target_infor_cloudsuite.settings import Settings

_log = logging.getLogger(__name__)

#: M3 lists a supplier's references one supplier a call; beyond this many suppliers that would eat the quota.
_REFERENCES_UP_TO = 2_000
_WHOLE_EVERY = timedelta(days=1)


class SetupError(Exception):
    """The tenant lacks something that posting needs. Nothing was written to M3."""


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
        context.companies[cono] = _company_setup(context, cono)
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


def load_company(  # noqa: PLR0913 - keyword-only where it matters
    settings: Settings, ledger: Ledger, gateway: Gateway, cono: int, *, clock: Clock, fresh: bool = False
) -> CompanyReference:
    """A company's reference data: the ledger's copy while it is young enough, else read from M3.

    Of the suppliers only those are read that changed since the last reading, and all of them once a day, so
    that what M3's time stamps do not show is found too. ``fresh`` reads everything.
    """
    scope, whole_scope = f"company:{cono}", f"whole-company:{cono}"
    with ledger.read() as tx:
        kept, whole = reference.kept(tx, scope), reference.kept(tx, whole_scope)
    now = clock.now()
    if kept is not None and not fresh and now - kept[1] <= _max_age(settings):
        return CompanyReference.from_json(kept[0])
    known = None
    if kept is not None and whole is not None and not fresh and now - whole[1] <= _WHOLE_EVERY:
        known = kept
    company = read_company(gateway, cono, since=None if known is None else since_mark(known[1]))
    read = len(company.suppliers)
    if read <= _REFERENCES_UP_TO:
        company = _with_references(gateway, cono, company)
    else:
        _log.warning(
            "Company %d: %d suppliers, too many to read what references M3 keeps for each: an external id "
            "of Stampli has to be the supplier's number, or needs a row in suppliers.csv.",
            cono,
            read,
        )
    if known is not None:
        before = CompanyReference.from_json(known[0]).suppliers
        company = company.with_suppliers(
            [row for suno, row in before.items() if suno not in company.suppliers]
        )
    _log.info(
        "Company %d: %d of %d suppliers, %d dimension values and %d VAT codes read from M3.",
        cono,
        read,
        len(company.suppliers),
        len(company.dimensions),
        len(company.tax_codes),
    )
    with ledger.write() as tx:
        reference.keep(tx, scope, company.to_json(), read_at=now)
        if known is None:
            reference.keep(tx, whole_scope, {}, read_at=now)
    return company


def _with_references(gateway: Gateway, cono: int, company: CompanyReference) -> CompanyReference:
    found = supplier_references(gateway, cono, sorted(company.suppliers))
    return company.with_suppliers(
        [replace(company.suppliers[suno], references=ids) for suno, ids in found.items() if ids]
    )


def was_asked_lately(settings: Settings, tx: Tx, numbers: Sequence[int], *, now: datetime) -> bool:
    """Whether M3's reference data of all these companies is young enough, so that the way to M3 was open.

    A run without work may then leave M3 alone; else it goes there all the same, so that refused credentials
    or a closed road are known before the next invoice comes.
    """
    moments = [reference.read_at(tx, f"company:{cono}") for cono in numbers]
    return all(read_at is not None and now - read_at <= _max_age(settings) for read_at in moments)


def _max_age(settings: Settings) -> timedelta:
    return timedelta(minutes=int(settings["reference_max_age_minutes"]))


def _company_setup(context: Context, cono: int) -> CompanySetup:
    catalog = _catalog(context, cono)
    program = _choose_program(str(context.settings["ap_program"]), catalog, cono)
    road = road_named(str(context.settings["payment_program"]), context.settings)
    return CompanySetup(cono, catalog, program, road, payments_off=_payments_off(context, catalog, cono))


def _catalog(context: Context, cono: int) -> Catalog:
    scope = f"catalog:{cono}"
    with context.ledger.read() as tx:
        kept = reference.kept(tx, scope)
    now = context.clock.now()
    if kept is not None and now - kept[1] <= _max_age(context.settings):
        return Catalog.from_json(kept[0])
    catalog = Catalog.read(context.gateway, cono)
    with context.ledger.write() as tx:
        reference.keep(tx, scope, catalog.to_json(), read_at=now)
    return catalog


def _choose_program(wanted: str, catalog: Catalog, cono: int) -> InvoiceBatchProgram:
    if not catalog.exposes(ap_ledger.PROGRAM, *ap_ledger.REQUIRED):
        raise SetupError(
            f"Company {cono}: this tenant does not expose {ap_ledger.PROGRAM} "
            f"({', '.join(ap_ledger.REQUIRED)}), without which nobody can say whether M3 has an "
            "invoice already. Nothing was posted. Ask whoever runs M3 to activate it for us (MRS001, "
            "and the API's roles)."
        )
    programs: Sequence[InvoiceBatchProgram] = [
        each for each in INVOICE_PROGRAMS.values() if wanted in {"auto", each.name}
    ]
    for program in programs:
        if program.usable(catalog):
            return program
    needed = " or ".join(
        f"{each.name} ({', '.join(each.required)})"
        + (f" with {each.commit_program} (ValidByBatchNo)" if each.commit_program else "")
        for each in programs
    )
    raise SetupError(
        f"Company {cono}: this tenant does not expose {needed}, with CORI on AddHead. Nothing was posted. "
        "Ask whoever runs M3 to activate these transactions for the service account (MRS001, and the API's "
        "roles)."
    )


def _payments_off(context: Context, catalog: Catalog, cono: int) -> str:
    """Why payments cannot be taken; '' where they can."""
    wanted = str(context.settings["payment_program"])
    if wanted == "off":
        return (
            "Payments are switched off (payment_program: off). "
            "Book the payment in M3 by hand, then dismiss this."
        )
    if wanted == gls840.PROGRAM:
        return _journals_off(context, catalog, cono)
    if not abs100.usable(catalog):
        text = f"Company {cono}: this tenant does not expose ABS100MI ({', '.join(abs100.REQUIRED)})"
    else:
        missing = _banks_not_set_up(context, cono)
        if missing is None:
            return ""
        text = f"Company {cono}: {missing}"
    if wanted == "ABS100MI":
        raise SetupError(f"{text}, which payment_program ABS100MI needs. Nothing was posted.")
    _log.warning("%s; payments are held for review.", text)
    return f"{text}. Payments cannot be taken to M3 until that is set up."


def _journals_off(context: Context, catalog: Catalog, cono: int) -> str:
    """Never why not: journals are asked for by name, so what they lack stops the run."""
    if not gls840.usable(catalog):
        raise SetupError(
            f"Company {cono}: this tenant does not expose GLS840MI ({', '.join(gls840.REQUIRED)}), which "
            "payment_program GLS840MI needs. Nothing was posted. Ask whoever runs M3 to activate it (MRS001, "
            "and the API's roles)."
        )
    for name in ("journal_interface", "journal_accounts"):
        if not context.settings[name]:
            raise SettingsError(name, "is missing: payment_program GLS840MI needs it.")
    return ""


def _banks_not_set_up(context: Context, cono: int) -> str | None:
    banks = context.crosswalks.banks_of(cono)
    if not banks:
        return "neither banks.csv nor a bank_bsid in companies.csv names a bank"
    questions = [abs100.bank(cono=cono, divi=divi, bsid=bsid) for divi, bsid in banks]
    answers = context.gateway.read(abs100.PROGRAM, questions, cono=cono)
    if any(answer.outcome is Outcome.DONE for answer in answers):
        return None
    return f"M3 knows none of the banks {', '.join(bsid for _, bsid in banks)} (ABS100MI/GetBankIdent)"
