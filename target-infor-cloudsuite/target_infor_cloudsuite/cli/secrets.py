"""Making ``enc:`` tokens for secrets at rest."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import click

from target_infor_cloudsuite.cli.options import common
from target_infor_cloudsuite.cli.session import Session  # noqa: TC001 - click's decorators read the annotation
from target_infor_cloudsuite.secrets import KEY_VARIABLE, SecretError, conceal, new_key, renew


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


@secrets.command()
@common
@click.argument(
    "files", type=click.Path(path_type=Path, dir_okay=False, exists=True), nargs=-1, required=True
)
def rotate(session: Session, files: tuple[Path, ...]) -> None:
    """Make every enc: token in FILES (.env, meltano.yml, JSON ..) anew under the first key.

    Put the new key before the old one, rotate, then take the old key away. All files are read before one is
    written; a token that no key opens changes nothing.
    """
    renewed = [(path, *renew(_read(path))) for path in files]
    for path, text, count in renewed:
        if count:
            _replace(path, text)
    session.show({str(path): count for path, _, count in renewed})
    for path, _, count in renewed:
        session.say(f"{path}: {count} tokens made anew.")


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise SecretError(f"{path} cannot be read: {fault}. Nothing was changed.") from fault


def _replace(path: Path, text: str) -> None:
    """In place of the old content, whole or not at all, with its rights."""
    fresh = path.with_name(f".{path.name}.new")
    try:
        fresh.touch(mode=0o600)
        shutil.copymode(path, fresh)
        fresh.write_bytes(text.encode())
        fresh.replace(path)
    except OSError as fault:
        fresh.unlink(missing_ok=True)
        raise SecretError(
            f"{path} cannot be written: {fault.strerror or fault}. It is as it was; files named "
            "before it are done, and can be done again."
        ) from fault
