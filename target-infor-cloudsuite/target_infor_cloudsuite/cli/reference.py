"""M3's reference data: read it anew, hold Stampli's lists against it, write it for others to work from."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING

import click
from stampli_infor_transforms.crosswalks import Crosswalks
from stampli_infor_transforms.policy import SettingsError

from target_infor_cloudsuite.cli.alignment import align
from target_infor_cloudsuite.cli.loading import load_reference
from target_infor_cloudsuite.cli.options import common
from target_infor_cloudsuite.cli.session import table
from target_infor_cloudsuite.clock import Clock
from target_infor_cloudsuite.import_lists import write_lists
from target_infor_cloudsuite.settings import read_settings

if TYPE_CHECKING:
    from stampli_infor_transforms.reference import Reference

    from target_infor_cloudsuite.cli.session import Session

_log = logging.getLogger(__name__)

#: M3 tells the status of one supplier at a time; beyond this many that would eat the quota.
_ASKED_EACH = 5_000


@click.group()
def reference() -> None:
    """Suppliers, accounts and VAT codes as M3 has them."""


@reference.command()
@common
def refresh(session: Session) -> None:
    """Read all reference data from M3 now, whatever its age."""
    _show(session, load_reference(session, _crosswalks(session), fresh=True))


@reference.command()
@common
@click.option(
    "--for",
    "for_",
    type=click.Choice(["mapper", "stampli"]),
    default="mapper",
    show_default=True,
    help="A snapshot for the mapper's reference_path, or lists of suppliers and GL accounts for Stampli.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="The snapshot file; with --for stampli the directory of vendors.csv and gl_accounts.csv.",
)
def export(session: Session, *, for_: str, output: Path) -> None:
    """Write reference data: a snapshot with which the mapper needs no CloudSuite, or lists for Stampli."""
    crosswalks = _crosswalks(session)
    found = load_reference(session, crosswalks, statuses_of=_few if for_ == "stampli" else None)
    try:
        if for_ == "stampli":
            written = write_lists(output, crosswalks, found, on=Clock().now().date())
        else:
            output.parent.mkdir(parents=True, exist_ok=True)
            text = json.dumps(found.to_json(), ensure_ascii=False, indent=1) + "\n"
            output.write_text(text, encoding="utf-8")
            written = [output]
    except OSError as fault:
        raise SettingsError(
            "--output", f"names {output}, which cannot be written: {fault.strerror}."
        ) from fault
    _show(session, found)
    session.say(f"Written to {' and '.join(map(str, written))}.")


reference.add_command(align)


def _few(found: Reference) -> dict[int, list[str]]:
    """The suppliers of companies that have few enough of them for M3 to be asked about each."""
    sunos = {cono: list(company.suppliers) for cono, company in found.companies.items()}
    for cono, numbers in sunos.items():
        if len(numbers) > _ASKED_EACH:
            _log.warning(
                "Company %d has %d suppliers, too many to ask M3 whether each is blocked: those of whom "
                "it is not known are written as active.",
                cono,
                len(numbers),
            )
    return {cono: numbers for cono, numbers in sunos.items() if len(numbers) <= _ASKED_EACH}


def _crosswalks(session: Session) -> Crosswalks:
    return Crosswalks.load(read_settings(session.config).crosswalk_dir)


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
