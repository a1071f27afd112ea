"""M3's reference data: read it anew, or write a snapshot that the mapper can work from."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click
from stampli_infor_transforms.crosswalks import Crosswalks
from stampli_infor_transforms.policy import SettingsError
from stampli_infor_transforms.reference import Reference

from target_infor_cloudsuite.cli.options import common
from target_infor_cloudsuite.cli.session import table
from target_infor_cloudsuite.clock import Clock
from target_infor_cloudsuite.ledger import Ledger
from target_infor_cloudsuite.settings import read_settings
from target_infor_cloudsuite.setup import company_numbers, load_company, open_gateway

if TYPE_CHECKING:
    from target_infor_cloudsuite.cli.session import Session


@click.group()
def reference() -> None:
    """Suppliers, accounts and VAT codes as M3 has them."""


@reference.command()
@common
def refresh(session: Session) -> None:
    """Read all reference data from M3 now, whatever its age."""
    found = _load(session, fresh=True)
    _show(session, found)


@reference.command()
@common
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False, writable=True),
    required=True,
    help="The snapshot file, for the mapper's setting reference_path.",
)
def export(session: Session, output: Path) -> None:
    """Write a snapshot of the reference data, with which the mapper needs no access to CloudSuite."""
    found = _load(session, fresh=False)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(json.dumps(found.to_json(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    except OSError as fault:
        raise SettingsError(
            "--output", f"names {output}, which cannot be written: {fault.strerror}."
        ) from fault
    _show(session, found)
    session.say(f"Written to {output}.")


def _load(session: Session, *, fresh: bool) -> Reference:
    settings = read_settings(session.config)
    numbers = company_numbers(settings, Crosswalks.load(settings.crosswalk_dir))
    with closing(Ledger(settings.ledger_url)) as ledger, open_gateway(settings) as gateway:
        ledger.open()
        return Reference(
            {
                cono: load_company(settings, ledger, gateway, cono, clock=Clock(), fresh=fresh)
                for cono in numbers
            }
        )


def _show(session: Session, found: Reference) -> None:
    counts = [
        {
            "cono": cono,
            "suppliers": len(company.suppliers),
            "dimension_values": len(company.dimensions),
            "tax_codes": len(company.tax_codes),
        }
        for cono, company in sorted(found.companies.items())
    ]
    columns = ("cono", "suppliers", "dimension_values", "tax_codes")
    session.show(
        {"companies": counts},
        table(
            "Reference data",
            columns,
            [[str(each[name]) for name in columns] for each in counts],
            numbers=columns,
        ),
    )
