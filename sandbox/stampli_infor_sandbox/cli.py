"""``stampli-infor-sandbox``: serve, ledger, reset, demo."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stampli_infor_sandbox.demo.command import demo_command
from stampli_infor_sandbox.home import Home
from stampli_infor_sandbox.ledger_view import ASSUMPTIONS, books
from stampli_infor_sandbox.m3.database import open_for_reading
from stampli_infor_sandbox.m3.metadata import TENANTS
from stampli_infor_sandbox.scenarios.real import DataError, real
from stampli_infor_sandbox.scenarios.sample import empty, sample
from stampli_infor_sandbox.serve import Options, serve
from stampli_infor_sandbox.text_view import render

if TYPE_CHECKING:
    from stampli_infor_sandbox.scenarios.base import Scenario

_HOME = click.option(
    "--home", "home_path", required=True, type=click.Path(path_type=Path), help="The sandbox's directory."
)


@click.group()
@click.version_option(package_name="stampli-infor-sandbox")
def main() -> None:
    """A Stampli SFTP server and an Infor ION gateway with M3 behind it, on loopback."""


main.add_command(demo_command)


@main.command("serve")
@_HOME
@click.option("--scenario", type=click.Choice(["sample", "real", "empty"]), default="sample",
              show_default=True, help="What a new home starts with; an old one goes on.")  # fmt: skip
@click.option("--data", type=click.Path(path_type=Path), help="Folder with the files of scenario real.")
@click.option("--sftp-port", default=0, help="0: the earlier one if free, else any.")
@click.option("--gateway-port", default=0, help="0: the earlier one if free, else any.")
@click.option("--tenant", type=click.Choice(TENANTS), default="aps100", show_default=True,
              help="Which MI programs and fields M3 exposes.")  # fmt: skip
@click.option("--latency-ms", default=0, help="Added to every answer of the gateway.")
@click.option("--requests-per-minute", default=500, show_default=True, help="Then 429; 0: no limit.")
@click.option("--token-life", default=7200, show_default=True, help="Seconds that a token lives.")
@click.option("--validation-delay-ms", default=300, show_default=True, help="Time that APS455MI takes.")
@click.option("--list-cap", default=0, help="Most records any list gives; 0: no cap.")
def serve_command(  # noqa: PLR0913 - one argument for each option
    *,
    home_path: Path,
    scenario: str,
    data: Path | None,
    sftp_port: int,
    gateway_port: int,
    tenant: str,
    latency_ms: int,
    requests_per_minute: int,
    token_life: int,
    validation_delay_ms: int,
    list_cap: int,
) -> None:
    """Serve in the foreground until SIGTERM or Ctrl-C."""
    if scenario == "real" and data is None:
        raise click.UsageError("scenario real needs --data FOLDER with its two files")

    def first() -> Scenario:
        if data is not None and scenario == "real":
            return real(data)
        return sample() if scenario == "sample" else empty()

    options = Options(
        home=Home(home_path),
        tenant=tenant,
        sftp_port=sftp_port,
        gateway_port=gateway_port,
        latency_ms=latency_ms,
        requests_per_minute=requests_per_minute,
        token_life=token_life,
        validation_delay_ms=validation_delay_ms,
        list_cap=list_cap,
    )
    try:
        asyncio.run(serve(options, first, lambda line: click.echo(f"{line} {ASSUMPTIONS}")))
    except (DataError, OSError) as error:
        raise click.ClickException(str(error)) from error


@main.command("ledger")
@_HOME
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def ledger_command(*, home_path: Path, form: str) -> None:
    """Show M3's AP ledger, open batches and bank statements; works while serving."""
    home = Home(home_path)
    if not home.database.exists():
        raise click.ClickException(f"no M3 in {home.root}: start one with serve --home {home.root}")
    connection = open_for_reading(home.database)
    shown = books(connection)
    connection.close()
    if form == "json":
        click.echo(json.dumps(shown, indent=1))
    else:
        render(shown)


@main.command("reset")
@_HOME
def reset_command(*, home_path: Path) -> None:
    """Forget everything in the home; refused while a sandbox serves it."""
    home = Home(home_path)
    described = home.read()
    if described and _runs(described["pid"]):
        raise click.ClickException(
            f"process {described['pid']} serves {home.root}: end it first (kill {described['pid']})"
        )
    for suffix in ("", "-wal", "-shm"):
        home.database.with_name(home.database.name + suffix).unlink(missing_ok=True)
    for path in (home.description, home.ionapi, home.env):
        path.unlink(missing_ok=True)
    for folder in (home.sftp, home.host_key.parent):
        if folder.exists():
            shutil.rmtree(folder)
    click.echo(f"{home.root} is empty again")


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True
