"""Checks of what a line is coded with: account, other dimensions, VAT code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stampli_infor_sandbox.m3.errors import invalid, must_be_entered, unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stampli_infor_sandbox.m3.master import Dimension, Master

DIMENSIONS = range(1, 8)


def check_coding(master: Master, cono: int, divi: str, coding: Mapping[int, str], acdt: str) -> None:
    """Refuse a coding that may not be booked on the accounting date.

    Args:
        master: Master data.
        cono: Company.
        divi: Division.
        coding: Dimension 1..7 to its value; absent or blank is none.
        acdt: Accounting date, yyyyMMdd.

    Raises:
        Nok: With the first dimension that is wrong.
    """
    if not coding.get(1):
        raise must_be_entered("AIT1")
    account: Dimension | None = None
    for aitp in DIMENSIONS:
        value = coding.get(aitp, "")
        if not value:
            continue
        found = master.dimension(cono, divi, aitp, value)
        if found is None:
            raise unknown(f"AIT{aitp}", f"Accounting dimension {aitp} {value}")
        _check_open(found, acdt)
        account = found if aitp == 1 else account
    if account is not None:
        for aitp in account.required:
            if not coding.get(aitp):
                raise must_be_entered(f"AIT{aitp}")


def _check_open(found: Dimension, acdt: str) -> None:
    field = f"AIT{found.aitp}"
    name = f"Accounting dimension {found.aitp} {found.aitm}"
    if found.blocked:
        raise invalid(field, f"{name} is blocked")
    if found.manual_blocked:
        raise invalid(field, f"{name} is blocked for manual entry")
    if (found.valid_from and acdt < found.valid_from) or (found.valid_to and acdt > found.valid_to):
        raise invalid(
            field, f"{name} is valid from {found.valid_from or '-'} to {found.valid_to or '-'}, not on {acdt}"
        )


def check_tax_code(master: Master, cono: int, vtcd: str) -> None:
    """Refuse a VAT code that the company lacks; blank and 0 are none.

    Raises:
        Nok: The code does not exist.
    """
    code = int(vtcd.split(".", maxsplit=1)[0] or "0") if vtcd else 0
    if code and (cono, code) not in master.tax_codes:
        raise unknown("VTCD", f"VAT code {code}")
