"""What can be seen on this machine: the ledger, the disk, the audit's protection, settings left blank."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from target_infor_cloudsuite.audit.files import AuditError
from target_infor_cloudsuite.audit.publish import anchor_of
from target_infor_cloudsuite.doctor.finding import Finding
from target_infor_cloudsuite.ledger import Ledger, LedgerError, mappings
from target_infor_cloudsuite.mapping_control import short

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from target_infor_cloudsuite.settings import Settings

_LEAST_DISK_BYTES = 500 * 2**20


def examine(settings: Settings) -> Iterator[Finding]:
    """Every check that needs no network but the ledger's and the anchor's."""
    yield from _payment_method(settings)
    yield from _ledger(settings)
    yield from _disk(settings)
    yield from _audit(settings)


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
        pending = there and not ledger.is_up_to_date()
        ledger.close()
    except LedgerError as fault:
        yield Finding("ledger", "failed", str(fault), "Restore or move the ledger, or correct ledger_url.")
        return
    if ledger.path is not None and not _may_write(ledger.path):
        text = f"{ledger.shown_url} may not be written by this account"
        hint = "Give this account the right to write the file and its folder."
        yield Finding("ledger", "failed", text, hint)
        return
    if pending:
        text = f"{ledger.shown_url} is of an older version: the next run brings its tables up to date"
        yield Finding("ledger", "warning", text, "Back it up before that run.")
        return
    text = "" if there else " is not there yet: the first run makes it"
    yield Finding("ledger", "ok", f"{ledger.shown_url}{text}")


def approval(settings: Settings, version: str) -> Iterator[Finding]:
    """Whether the crosswalks may be used, where two people have to approve them."""
    if settings["mapping_approval"] != "required":
        return
    ledger = Ledger(settings.ledger_url, look_only=True)
    try:
        approved: list[str] = []
        if ledger.exists() and ledger.is_up_to_date():
            with ledger.read() as tx:
                approved = [each.version for each in mappings.approved_versions(tx)]
    except LedgerError:
        return  # told already, by the ledger's own check
    finally:
        ledger.close()
    if version in approved:
        yield Finding("mapping_approval", "ok", f"version {short(version)} is approved")
        return
    used = f"runs use version {short(approved[-1])} instead" if approved else "no run posts anything"
    text = f"version {short(version)} of the crosswalks is not approved: {used}"
    hint = "Have two people run `cloudsuite-ap mapping approve`."
    yield Finding("mapping_approval", "warning" if approved else "failed", text, hint)


def _disk(settings: Settings) -> Iterator[Finding]:
    folder = _nearest(settings.output_dir)
    if not os.access(folder, os.W_OK | os.X_OK):
        text = f"{folder} may not be written by this account"
        yield Finding("output", "failed", text, "Give this account the right to write to output_dir.")
    free = shutil.disk_usage(folder).free
    text = f"{free // 2**20} MiB free at {folder}"
    if free < _LEAST_DISK_BYTES:
        what_to_do = "Make room: the ledger and the audit files grow with every document."
        yield Finding("disk", "warning", text, what_to_do)
    else:
        yield Finding("disk", "ok", text)


def _audit(settings: Settings) -> Iterator[Finding]:
    anchor = anchor_of(settings)
    if anchor is not None:
        try:
            anchor.written()
        except AuditError as fault:
            yield Finding("audit", "failed", str(fault), "Correct audit_anchor, or grant the right.")
            return
    protection = {"audit_key": settings.audit_keys.current, "audit_anchor": anchor}
    lacking = [name for name, given in protection.items() if not given]
    text = f"not set: {' and '.join(lacking)}" if lacking else "sealed with a key, anchored in a second place"
    yield Finding("audit", "ok", text)


def _nearest(path: Path) -> Path:
    """The folder itself, or the nearest one above that is there."""
    path = path.absolute()
    while not path.exists():
        path = path.parent
    return path


def _may_write(path: Path) -> bool:
    folder = _nearest(path.parent)
    return os.access(folder, os.W_OK | os.X_OK) and (not path.exists() or os.access(path, os.W_OK))
