"""Will this work? Each check asks the real thing, writes nothing anywhere, and says what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stampli_infor_transforms.crosswalks import CrosswalkError, Crosswalks
from stampli_infor_transforms.policy import SettingsError

from target_infor_cloudsuite.doctor import local, tenant
from target_infor_cloudsuite.doctor.finding import Finding
from target_infor_cloudsuite.doctor.samples import mapped
from target_infor_cloudsuite.doctor.tap import ask_the_tap
from target_infor_cloudsuite.ion.errors import IonError
from target_infor_cloudsuite.mapping_control import short
from target_infor_cloudsuite.settings import read_settings
from target_infor_cloudsuite.setup import company_numbers, open_gateway

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import Any

    from stampli_infor_transforms.reference import CompanyReference

__all__ = ["Finding", "examine"]


def examine(config: Mapping[str, Any], *, tap_config: Path | None = None) -> Iterator[Finding]:
    """Run every check that can be run; one that fails ends only those that need it."""
    try:
        settings = read_settings(config)
    except SettingsError as fault:
        yield Finding("settings", "failed", str(fault), "Correct the setting named.")
        return
    yield Finding("settings", "ok", "complete and valid")
    yield from local.examine(settings)
    samples: dict[str, dict[str, Any]] = {}
    yield from ask_the_tap(tap_config, samples)
    try:
        crosswalks = Crosswalks.load(settings.crosswalk_dir)
        numbers = company_numbers(settings, crosswalks)
    except (CrosswalkError, SettingsError) as fault:
        yield Finding("crosswalks", "failed", str(fault), "Correct the rows named.")
        return
    yield Finding("crosswalks", "ok", f"{settings.crosswalk_dir}, version {short(crosswalks.version)}")
    yield from local.approval(settings, crosswalks.version)
    companies: dict[int, CompanyReference] = {}
    try:
        with open_gateway(settings) as gateway:
            yield from tenant.way(settings, gateway, numbers[0])
            for cono in numbers:
                yield from tenant.company(settings, gateway, crosswalks, cono, companies)
    except IonError as fault:
        yield Finding("gateway", "failed", str(fault.args[0]), fault.what_to_do)
        return
    yield from mapped(samples, settings.policy, crosswalks, companies)
