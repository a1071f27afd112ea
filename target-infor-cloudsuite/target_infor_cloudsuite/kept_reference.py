"""M3's reference data: the ledger's copy while it is young enough, else read from M3 as far as it changed."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from stampli_infor_transforms.reference import CompanyReference

from target_infor_cloudsuite.ledger import reference
from target_infor_cloudsuite.m3.reference import read_company, since_mark, supplier_references

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from target_infor_cloudsuite.clock import Clock
    from target_infor_cloudsuite.ion.gateway import Gateway
    from target_infor_cloudsuite.ledger import Ledger, Tx
    from target_infor_cloudsuite.settings import Settings

_log = logging.getLogger(__name__)

#: M3 lists a supplier's references one supplier a call; beyond this many suppliers that would eat the quota.
_REFERENCES_UP_TO = 2_000
_WHOLE_EVERY = timedelta(days=1)


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
    if kept is not None and not fresh and now - kept[1] <= max_age(settings):
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
    return all(read_at is not None and now - read_at <= max_age(settings) for read_at in moments)


def max_age(settings: Settings) -> timedelta:
    """How long what was read from M3 may be used."""
    return timedelta(minutes=int(settings["reference_max_age_minutes"]))
