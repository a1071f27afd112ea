"""``report``: where everything stands, as one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from target_infor_cloudsuite.cli.options import common
from target_infor_cloudsuite.clock import Clock
from target_infor_cloudsuite.report.as_json import as_json
from target_infor_cloudsuite.report.write import write_report

if TYPE_CHECKING:
    from target_infor_cloudsuite.cli.session import Session


@click.command()
@common
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The HTML file; report.html in output_dir unless given.",
)
def report(session: Session, output: Path | None) -> None:
    """Write one self-contained HTML file that says where everything stands, for people (every run does too).

    Prints the file's name; with --format json the figures. M3 is not asked. Exits with 1 when the ledger is
    empty or the file cannot be written; what stood there stands there still.
    """
    path = output or session.settings.output_dir / "report.html"
    figures = write_report(session.ledger, session.settings, path, now=Clock().now())
    if session.format == "json":
        session.show({"path": str(path), **as_json(figures)})
    else:
        click.echo(str(path))
