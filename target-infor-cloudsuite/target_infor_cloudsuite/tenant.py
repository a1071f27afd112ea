"""What a tenant offers a run in one company: its catalogue, the AP program, the road for payments."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from stampli_infor_transforms.policy import SettingsError

from target_infor_cloudsuite.ion.answers import Outcome
from target_infor_cloudsuite.kept_reference import max_age
from target_infor_cloudsuite.ledger import reference
from target_infor_cloudsuite.m3.catalog import Catalog
from target_infor_cloudsuite.posting.context import CompanySetup
from target_infor_cloudsuite.programs import INVOICE_PROGRAMS, abs100, ap_ledger, gls840, road_named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_infor_cloudsuite.posting.context import Context
    from target_infor_cloudsuite.programs.invoice_batch import InvoiceBatchProgram

_log = logging.getLogger(__name__)


class SetupError(Exception):
    """The tenant lacks something that posting needs. Nothing was written to M3."""


def company_setup(context: Context, cono: int) -> CompanySetup:
    """What a run can do in one company.

    Raises:
        SetupError, SettingsError: A person has to mend something first.
        IonError: M3 cannot be reached or turns us away.
    """
    catalog = _catalog(context, cono)
    program = _choose_program(str(context.settings["ap_program"]), catalog, cono)
    road = road_named(str(context.settings["payment_program"]), context.settings)
    return CompanySetup(cono, catalog, program, road, payments_off=_payments_off(context, catalog, cono))


def _catalog(context: Context, cono: int) -> Catalog:
    scope = f"catalog:{cono}"
    with context.ledger.read() as tx:
        kept = reference.kept(tx, scope)
    now = context.clock.now()
    if kept is not None and now - kept[1] <= max_age(context.settings):
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
