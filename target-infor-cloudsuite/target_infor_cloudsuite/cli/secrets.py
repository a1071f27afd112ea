"""Making ``enc:`` tokens for secrets at rest."""

from __future__ import annotations

import sys

import click

from target_infor_cloudsuite.cli.options import common
from target_infor_cloudsuite.cli.session import Session  # noqa: TC001 - click's decorators read the annotation
from target_infor_cloudsuite.secrets import KEY_VARIABLE, conceal, new_key


@click.group()
def secrets() -> None:
    """Encrypt secrets, so that no file holds them in clear."""


@secrets.command("new-key")
@common
def make_key(session: Session) -> None:
    """Print a new key for the environment variable STAMPLI_INFOR_KEY."""
    click.echo(new_key())
    session.say(f"Keep it outside the project, and give it to tap and target as {KEY_VARIABLE}.")


@secrets.command()
@common
def encrypt(session: Session) -> None:
    """Read a secret from standard input (or a hidden prompt) and print its enc: token."""
    plain = click.prompt("Secret", hide_input=True) if sys.stdin.isatty() else sys.stdin.read().rstrip("\r\n")
    if not plain:
        raise click.UsageError("There is nothing to encrypt: give the secret on standard input.")
    click.echo(conceal(plain))
    session.say("Use the token in place of the secret in any setting marked secret.")
