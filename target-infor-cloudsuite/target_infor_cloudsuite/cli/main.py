"""The command's root: options that all commands share, and one clear line for whatever goes wrong."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

import click
from stampli_infor_transforms.crosswalks import CrosswalkError
from stampli_infor_transforms.policy import SettingsError

from target_infor_cloudsuite.audit.files import AuditError
from target_infor_cloudsuite.cli import (
    audit,
    doctor,
    documents,
    mapping,
    notify,
    purge,
    reconcile,
    reference,
    report,
    secrets,
)
from target_infor_cloudsuite.cli.session import ExitCode, Session
from target_infor_cloudsuite.confidential import no_core_files
from target_infor_cloudsuite.ion.errors import IonError
from target_infor_cloudsuite.ledger import LedgerError
from target_infor_cloudsuite.plugin import one_line
from target_infor_cloudsuite.posting.decisions import DecisionError
from target_infor_cloudsuite.report.write import ReportError
from target_infor_cloudsuite.secrets import SecretError
from target_infor_cloudsuite.tenant import SetupError

_EXPECTED = (
    AuditError,
    CrosswalkError,
    IonError,
    LedgerError,
    ReportError,
    SecretError,
    SettingsError,
    SetupError,
)


class _Root(click.Group):
    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run a command; whatever goes wrong is one line on stderr."""
        no_core_files()
        try:
            ended = super().main(*args, **kwargs | {"standalone_mode": False})
        except click.exceptions.NoArgsIsHelpError as fault:
            click.echo(fault.format_message(), err=True)
            sys.exit(ExitCode.WRONG_USE)
        except click.UsageError as fault:
            path = fault.ctx.command_path if fault.ctx else "cloudsuite-ap"
            click.echo(f"Error: {fault.format_message()} (`{path} --help` shows the use.)", err=True)
            sys.exit(ExitCode.WRONG_USE)
        except DecisionError as fault:
            click.echo(f"Error: {fault}", err=True)
            sys.exit(ExitCode.WRONG_USE)
        except click.Abort:
            click.echo("Stopped; nothing was changed.", err=True)
            sys.exit(ExitCode.FAILED)
        except _EXPECTED as fault:
            click.echo(f"Error: {one_line(fault)}", err=True)
            sys.exit(ExitCode.FAILED)
        except BrokenPipeError:  # `| head` has seen enough
            sys.stdout = None
            sys.exit(ExitCode.FAILED)
        # What ctx.exit was given; a command's own return value means nothing.
        sys.exit(ended if isinstance(ended, int) else ExitCode.WELL)


@click.group(cls=_Root, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Settings of the target as a JSON file; without it the environment that Meltano prepares is read.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Tables for people, or JSON for machines.",
)
@click.version_option(package_name="target-infor-cloudsuite")
@click.pass_context
def main(ctx: click.Context, config_path: Path | None, format_: str) -> None:
    """Watch and correct the posting of Stampli documents into Infor CloudSuite (M3).

    Exit codes: 0 well, 1 failed, 2 wrong use, 3 something needs a person.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s: %(message)s")
    ctx.obj = Session(config_path, format_)
    ctx.call_on_close(ctx.obj.close)


for command in (
    documents.status,
    documents.review,
    documents.replay,
    documents.release,
    documents.dismiss,
    reconcile.reconcile,
    doctor.doctor,
    audit.audit,
    purge.purge,
    notify.notify,
    report.report,
    reference.reference,
    mapping.mapping,
    secrets.secrets,
):
    main.add_command(command)
