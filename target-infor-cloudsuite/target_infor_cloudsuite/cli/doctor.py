"""``doctor``: will this work?"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from target_infor_cloudsuite.cli.options import common
from target_infor_cloudsuite.cli.session import ExitCode, table
from target_infor_cloudsuite.doctor import examine

if TYPE_CHECKING:
    from target_infor_cloudsuite.cli.session import Session
    from target_infor_cloudsuite.doctor import Finding


@click.command()
@common
@click.option(
    "--tap-config",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Settings of tap-stampli-sftp as a JSON file, to check the SFTP side too.",
)
def doctor(session: Session, tap_config: Path | None) -> None:
    """Ask the real systems whether this will work. Writes nothing; exits with 1 when a check failed."""
    findings: list[Finding] = []
    for finding in examine(session.config, tap_config=tap_config):
        findings.append(finding)
        session.say(f"{finding.result:8} {finding.check}")
    rows = [(each.result, each.check, f"{each.text}\n{each.what_to_do}".strip()) for each in findings]
    columns = ("result", "check", "what was found, and what to do")
    session.show(
        [asdict(each) for each in findings],
        table("Doctor", columns, rows, whole=("result",), apart=True),
    )
    if any(each.result == "failed" for each in findings):
        click.get_current_context().exit(ExitCode.FAILED)
