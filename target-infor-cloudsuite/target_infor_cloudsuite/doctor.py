"""Will this work? Each check asks the real thing, writes nothing anywhere, and says what to do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stampli_infor_transforms.crosswalks import CrosswalkError, Crosswalks
from stampli_infor_transforms.policy import SettingsError

from target_infor_cloudsuite.ion.answers import Outcome, Transaction
from target_infor_cloudsuite.ion.errors import IonError
from target_infor_cloudsuite.ledger import Ledger, LedgerError
from target_infor_cloudsuite.m3.catalog import Catalog
from target_infor_cloudsuite.programs import abs100
from target_infor_cloudsuite.programs.aps100 import APS100MI
from target_infor_cloudsuite.programs.aps450 import APS450MI
from target_infor_cloudsuite.settings import read_settings
from target_infor_cloudsuite.setup import company_numbers, open_gateway

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from target_infor_cloudsuite.ion.gateway import Gateway
    from target_infor_cloudsuite.settings import Settings

_TAP = "tap-stampli-sftp"
_TAP_SECONDS = 120
_LEAST_DISK_BYTES = 500 * 2**20


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: ``result`` is ok, warning or failed; ``what_to_do`` is blank where nothing is."""

    check: str
    result: str
    text: str
    what_to_do: str = ""


def examine(config: Mapping[str, Any], *, tap_config: Path | None = None) -> Iterator[Finding]:
    """Run every check that can be run; one that fails ends only those that need it."""
    try:
        settings = read_settings(config)
    except SettingsError as fault:
        yield Finding("settings", "failed", str(fault), "Correct the setting named.")
        return
    yield Finding("settings", "ok", "complete and valid")
    yield from _payment_method(settings)
    yield from _ledger(settings)
    yield from _disk(settings)
    yield from _tap(tap_config)
    try:
        crosswalks = Crosswalks.load(settings.crosswalk_dir)
        numbers = company_numbers(settings, crosswalks)
    except (CrosswalkError, SettingsError) as fault:
        yield Finding("crosswalks", "failed", str(fault), "Correct the rows named.")
        return
    yield Finding("crosswalks", "ok", f"{settings.crosswalk_dir}, version {crosswalks.version[:12]}")
    try:
        with open_gateway(settings) as gateway:
            for cono in numbers:
                yield from _company(settings, gateway, crosswalks, cono)
    except IonError as fault:
        yield Finding("gateway", "failed", str(fault.args[0]), fault.what_to_do)


def _payment_method(settings: Settings) -> Iterator[Finding]:
    if settings.policy.payment_method:
        yield Finding("payment_method", "ok", f"invoices carry PYME {settings.policy.payment_method}")
        return
    yield Finding(
        "payment_method",
        "warning",
        "payment_method is blank: M3's own payment proposals may pay invoices that Stampli pays",
        "Set payment_method to an AP payment method (PYME) that your payment proposals leave out.",
    )


def _ledger(settings: Settings) -> Iterator[Finding]:
    try:
        ledger = Ledger(settings.ledger_url, look_only=True)
        there = ledger.exists()
        if there:
            ledger.refuse_newer()
        ledger.close()
    except LedgerError as fault:
        yield Finding("ledger", "failed", str(fault), "Restore or move the ledger, or correct ledger_url.")
        return
    text = "" if there else " is not there yet: the first run makes it"
    yield Finding("ledger", "ok", f"{ledger.shown_url}{text}")


def _disk(settings: Settings) -> Iterator[Finding]:
    folder = settings.output_dir.absolute()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    text = f"{free // 2**20} MiB free at {folder}"
    if free < _LEAST_DISK_BYTES:
        yield Finding(
            "disk", "warning", text, "Make room: the ledger and the audit files grow with every document."
        )
    else:
        yield Finding("disk", "ok", text)


def _of_the_tap(variable: str) -> bool:
    return variable.startswith("TAP_STAMPLI_SFTP_")


def _tap(tap_config: Path | None) -> Iterator[Finding]:
    """The tap's own check, as a process of its own: this package knows nothing of the tap."""
    program = shutil.which(_TAP) or shutil.which(_TAP, path=str(Path(sys.executable).parent))
    # Meltano and CI hand the tap its settings in the environment.
    config = str(tap_config) if tap_config else "ENV" if any(map(_of_the_tap, os.environ)) else None
    if program is None or config is None:
        text = f"{_TAP} is not installed here" if program is None else "its settings are not known here"
        yield Finding(
            "tap",
            "warning",
            f"not checked: {text}",
            f"Run `meltano invoke {_TAP} --test`, or give --tap-config.",
        )
        return
    try:
        ended = subprocess.run(  # noqa: S603 - our own program
            [program, "--config", config, "--test"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            timeout=_TAP_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        yield Finding("tap", "failed", f"no answer within {_TAP_SECONDS} s", "Check host, port and firewall.")
        return
    said = [line.rpartition(" | ")[2].strip() for line in ended.stderr.splitlines() if "METRIC" not in line]
    last = next((line for line in reversed(said) if line), "it said nothing")
    if ended.returncode:
        yield Finding("tap", "failed", last, "Correct the tap's setting named.")
    else:
        yield Finding("tap", "ok", "it can read the exports: one record of each stream came")


def _company(settings: Settings, gateway: Gateway, crosswalks: Crosswalks, cono: int) -> Iterator[Finding]:
    where = f"company {cono}"
    company = gateway.read("MNS095MI", [Transaction("Lst", {"CONO": str(cono)})], cono=cono)[0]
    if company.outcome is not Outcome.DONE or not company.records:
        yield Finding(
            where, "failed", f"M3 does not show it: {company.error}", "Check cono and the account's rights."
        )
        return
    version = company.records[0].get("MXV1") or company.records[0].get("MNVR") or "unknown version"
    yield Finding(where, "ok", f"{company.records[0].get('TX40', '')} ({version})")
    catalog = Catalog.read(gateway, cono)
    wanted = str(settings["ap_program"])
    programs = [each for each in (APS100MI, APS450MI) if wanted in {"auto", each.name}]
    usable = [each for each in programs if each.usable(catalog)]
    if not usable:
        names = " or ".join(each.name for each in programs)
        yield Finding(
            f"{where}, AP program",
            "failed",
            f"{names} is not exposed with all it needs ({', '.join(APS450MI.required)})",
            "Ask whoever runs M3 to activate the transactions (MRS001) and the API roles.",
        )
        return
    fields = catalog.fields(usable[0].name, "AddLine")
    yield Finding(f"{where}, AP program", "ok", f"{usable[0].name} ({catalog.source})")
    lacking = [f"AIT{number}" for number in range(1, 8) if f"AIT{number}" not in fields]
    if lacking:
        yield Finding(
            f"{where}, line coding",
            "failed",
            f"{usable[0].name}/AddLine lacks {', '.join(lacking)}: coded invoices are all held for review",
            "Ask Infor for a release of the program that takes accounting dimensions on the line.",
        )
    yield from _banks(settings, gateway, crosswalks, catalog, cono)


def _banks(
    settings: Settings, gateway: Gateway, crosswalks: Crosswalks, catalog: Catalog, cono: int
) -> Iterator[Finding]:
    where = f"company {cono}, payments"
    if settings["payment_program"] == "off":
        yield Finding(where, "ok", "switched off")
        return
    if not abs100.usable(catalog):
        yield Finding(
            where,
            "warning",
            f"ABS100MI lacks something of {', '.join(abs100.REQUIRED)}: payments are held for review",
            "Ask whoever runs M3 to activate it, or set payment_program to off.",
        )
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
