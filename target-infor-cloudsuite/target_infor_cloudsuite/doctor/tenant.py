"""What the tenant lets us do: token, gateway, programs, company, rights, banks, reference data."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from statistics import median
from typing import TYPE_CHECKING

from target_infor_cloudsuite.doctor.finding import Finding
from target_infor_cloudsuite.ion.answers import Outcome, Transaction
from target_infor_cloudsuite.ion.clocks import ahead_of_us
from target_infor_cloudsuite.ion.errors import IonError
from target_infor_cloudsuite.m3.catalog import Catalog
from target_infor_cloudsuite.m3.reference import read_company
from target_infor_cloudsuite.posting.already_there import NOT_THERE
from target_infor_cloudsuite.programs import abs100, ap_ledger, gls840, road_named
from target_infor_cloudsuite.programs.aps100 import APS100MI
from target_infor_cloudsuite.programs.aps450 import APS450MI

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stampli_infor_transforms.crosswalks import Crosswalks
    from stampli_infor_transforms.reference import CompanyReference

    from target_infor_cloudsuite.ion.gateway import Gateway
    from target_infor_cloudsuite.programs.invoice_batch import InvoiceBatchProgram
    from target_infor_cloudsuite.settings import Settings

_LOOKS = 3
_SLOW_SECONDS = 5.0
_TOLERATED_SECONDS = 120
#: An invoice that nobody has: what M3 answers shows whether we may ask.
_NOBODY_S = "STAMPLI-DOCTOR"


def way(settings: Settings, gateway: Gateway, cono: int) -> Iterator[Finding]:
    """The token, how long the gateway takes, and whose clock is right."""
    seconds = []
    for _ in range(_LOOKS + 1):
        began = time.monotonic()
        gateway.read("MNS095MI", [Transaction("Lst", {"CONO": str(cono)})], cono=cono)
        seconds.append(time.monotonic() - began)
    yield Finding("token", "ok", f"given and accepted; with the first request {seconds[0]:.2f} s")
    usual = median(seconds[1:])
    slow = usual > _SLOW_SECONDS
    yield Finding(
        "gateway",
        "warning" if slow else "ok",
        f"answers in {usual:.2f} s (median of {_LOOKS})",
        "Ask Infor why; a run takes that many times longer." if slow else "",
    )
    yield _clock(settings, gateway)


def _clock(settings: Settings, gateway: Gateway) -> Finding:
    ahead = ahead_of_us(gateway.address, timeout_seconds=float(settings["request_timeout_seconds"]))
    if ahead is None:
        return Finding("gateway clock", "ok", "the gateway does not tell its time")
    seconds = round(ahead.total_seconds())
    if abs(seconds) <= _TOLERATED_SECONDS:
        return Finding("gateway clock", "ok", f"differs by {abs(seconds)} s at most")
    where = "ahead of" if seconds > 0 else "behind"
    text = f"runs {abs(seconds)} s {where} this machine's"
    hint = "Set this machine's clock (NTP): tokens are refreshed, and dates taken, by it."
    return Finding("gateway clock", "warning", text, hint)


def company(
    settings: Settings,
    gateway: Gateway,
    crosswalks: Crosswalks,
    cono: int,
    found: dict[int, CompanyReference],
) -> Iterator[Finding]:
    """All about one M3 company; what was read of it is put into ``found``."""
    where = f"company {cono}"
    answer = gateway.read("MNS095MI", [Transaction("Lst", {"CONO": str(cono)})], cono=cono)[0]
    if answer.outcome is not Outcome.DONE or not answer.records:
        hint = "Check cono and the account's rights."
        yield Finding(where, "failed", f"M3 does not show it: {answer.error}", hint)
        return
    row = answer.records[0]
    version = row.get("MXV1") or row.get("MNVR")
    shown = f"M3 version {version}" if version else "M3 does not tell its version"
    yield Finding(where, "ok", f"{row.get('TX40', '')} ({shown})")
    catalog = Catalog.read(gateway, cono)
    yield from _program(settings, gateway, catalog, cono)
    yield from _reference(settings, gateway, crosswalks, cono, found)
    yield from _banks(settings, gateway, crosswalks, catalog, cono)


def _program(settings: Settings, gateway: Gateway, catalog: Catalog, cono: int) -> Iterator[Finding]:
    where = f"company {cono}"
    wanted = str(settings["ap_program"])
    programs = [each for each in (APS100MI, APS450MI) if wanted in {"auto", each.name}]
    usable = [each for each in programs if each.usable(catalog)]
    hint = "Ask whoever runs M3 to activate the transactions (MRS001) and the API roles."
    if not usable:
        lacking = "; ".join(_lacking(each, catalog) for each in programs)
        yield Finding(f"{where}, AP program", "failed", f"not exposed: {lacking}", hint)
        return
    fields = catalog.fields(usable[0].name, "AddLine")
    yield Finding(f"{where}, AP program", "ok", f"{usable[0].name} ({catalog.source})")
    lacking_fields = [f"AIT{number}" for number in range(1, 8) if f"AIT{number}" not in fields]
    if lacking_fields:
        text = f"{usable[0].name}/AddLine lacks {', '.join(lacking_fields)}: coded invoices are all held"
        ask = "Ask Infor for a release of the program that takes accounting dimensions on the line."
        yield Finding(f"{where}, line coding", "failed", text, ask)
    yield _may_ask(gateway, catalog, cono)


def _lacking(program: InvoiceBatchProgram, catalog: Catalog) -> str:
    absent = [each for each in program.required if not catalog.exposes(program.name, each)]
    return f"{program.name} ({', '.join(absent) or 'CORI on AddHead, or its commit program'})"


def _may_ask(gateway: Gateway, catalog: Catalog, cono: int) -> Finding:
    """Whether M3 lets us look for invoices; the right to write them can't be tried without writing."""
    where = f"company {cono}, rights"
    if not catalog.exposes(ap_ledger.PROGRAM, *ap_ledger.REQUIRED):
        text = f"{ap_ledger.PROGRAM} is not exposed: nobody can say whether M3 has an invoice already"
        return Finding(where, "failed", text, "Ask whoever runs M3 to activate it (MRS001, API roles).")
    question = ap_ledger.get_invoice(
        divi="", payee=_NOBODY_S[:10], supplier=_NOBODY_S[:10], number=_NOBODY_S, year=datetime.now(UTC).year
    )
    try:
        answer = gateway.read(ap_ledger.PROGRAM, [question], cono=cono)[0]
    except IonError as fault:
        return Finding(where, "failed", str(fault.args[0]), fault.what_to_do)
    code = answer.error.code if answer.error is not None else ""
    # A field that M3 checked (W..) was looked at by the program, so that the right to call it is there.
    if answer.outcome is Outcome.DONE or code == NOT_THERE or code.startswith("W"):
        text = "invoices may be looked for; the right to write them shows with the first one only"
        return Finding(where, "ok", text)
    hint = "Ask whoever runs M3 which right the service account lacks."
    return Finding(where, "warning", f"{ap_ledger.PROGRAM}/{question.name}: {answer.error}", hint)


def _reference(
    settings: Settings,
    gateway: Gateway,
    crosswalks: Crosswalks,
    cono: int,
    found: dict[int, CompanyReference],
) -> Iterator[Finding]:
    where = f"company {cono}, reference data"
    try:
        reference = read_company(gateway, cono)
    except IonError as fault:
        yield Finding(where, "failed", str(fault.args[0]), fault.what_to_do)
        return
    found[cono] = reference
    counts = {
        "divisions": len(reference.company.divisions),
        "suppliers": len(reference.suppliers),
        "dimension values": len(reference.dimensions),
        "VAT codes": len(reference.tax_codes),
    }
    text = ", ".join(f"{count} {name}" for name, count in counts.items())
    empty = [name for name, count in counts.items() if not count]
    hint = f"Check the service account's rights: M3 shows no {' and no '.join(empty)}." if empty else ""
    yield Finding(where, "warning" if empty else "ok", text, hint)
    rows = [row.cells for row in crosswalks.rows("companies.csv")]
    named = {row["divi"] for row in rows if row["cono"] == str(cono) and row["divi"]}
    if settings.policy.cono == cono and settings.policy.divi:
        named.add(settings.policy.divi)
    unknown = sorted(named - set(reference.company.divisions))
    if unknown:
        text = f"M3 has no division {', '.join(unknown)} in it"
        yield Finding(f"company {cono}, divisions", "failed", text, "Correct companies.csv, or divi.")
    elif named:
        yield Finding(f"company {cono}, divisions", "ok", ", ".join(sorted(named)))


def _banks(
    settings: Settings, gateway: Gateway, crosswalks: Crosswalks, catalog: Catalog, cono: int
) -> Iterator[Finding]:
    where = f"company {cono}, payments"
    if settings["payment_program"] == "off":
        yield Finding(where, "ok", "switched off")
        return
    if settings["payment_program"] == gls840.PROGRAM:
        yield from _journals(settings, crosswalks, catalog, cono)
        return
    if not abs100.usable(catalog):
        absent = [each for each in abs100.REQUIRED if not catalog.exposes(abs100.PROGRAM, each)]
        text = f"{abs100.PROGRAM} lacks {', '.join(absent)}: payments are held for review"
        hint = "Ask whoever runs M3 to activate it, or set payment_program to off."
        yield Finding(where, "warning", text, hint)
        return
    banks = crosswalks.banks_of(cono)
    if not banks:
        yield Finding(where, "warning", "no bank is named", "Fill bank_bsid in companies.csv, or banks.csv.")
    for divi, bsid in banks:
        answer = gateway.read(abs100.PROGRAM, [abs100.bank(cono=cono, divi=divi, bsid=bsid)], cono=cono)[0]
        if answer.outcome is Outcome.DONE:
            yield Finding(where, "ok", f"bank {bsid} of division {divi}")
        else:
            text = f"M3 does not know bank {bsid} of division {divi}: {answer.error}"
            yield Finding(where, "failed", text, "Correct the BSID, or set the bank up in M3 (ABS100).")


def _journals(settings: Settings, crosswalks: Crosswalks, catalog: Catalog, cono: int) -> Iterator[Finding]:
    where = f"company {cono}, payments"
    absent = [each for each in gls840.REQUIRED if not catalog.exposes(gls840.PROGRAM, each)]
    if absent:
        text = f"{gls840.PROGRAM} lacks {', '.join(absent)}: no run can begin"
        yield Finding(where, "failed", text, "Ask whoever runs M3 to activate it, or change payment_program.")
        return
    if not settings["journal_interface"]:
        yield Finding(where, "failed", "journal_interface is missing", "Set it: no run can begin.")
    road = road_named(gls840.PROGRAM, settings)
    for _, bsid in crosswalks.banks_of(cono):
        if lacks := road.lacks(bsid):
            yield Finding(where, "failed", lacks, "Complete journal_accounts.")
        else:
            yield Finding(where, "ok", f"journals, which settle no invoice; bank {bsid} has an account")
