"""Meltano as the demo calls it: the checkout's project, with settings of the sandbox and nobody else's."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from stampli_infor_sandbox.demo.processes import capture, run_logged

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from stampli_infor_sandbox.home import Home

TWO_STAGES = ("tap-stampli-sftp", "target-infor-cloudsuite")
_FOREIGN = (
    "TAP_STAMPLI_SFTP_",
    "TARGET_INFOR_CLOUDSUITE_",
    "STAMPLI_INFOR_",
    "MELTANO_",
    "SANDBOX_",
    "PYTHON",
)


@dataclass(frozen=True, slots=True)
class Project:
    """A Meltano project run against one sandbox.

    Args:
        root: The checkout.
        home: The sandbox's directory; the ledger, the output and Meltano's own database go there too.
        environment: Meltano's environment.
    """

    root: Path
    home: Home
    environment: str

    @property
    def meltano(self) -> Path:
        """Meltano's executable."""
        return self.root / ".tools" / "meltano" / "bin" / "meltano"

    @property
    def cloudsuite_ap(self) -> Path:
        """The commands, from the loader's own environment."""
        return (
            self.root / ".meltano" / "loaders" / "target-infor-cloudsuite" / "venv" / "bin" / "cloudsuite-ap"
        )

    @property
    def config(self) -> Path:
        """The loader's settings as a file, for ``cloudsuite-ap --config``."""
        return self.home.root / "cloudsuite-ap.json"

    @property
    def output(self) -> Path:
        """Where audit files, run files and the report are written."""
        return self.home.root / "output"

    def check(self) -> None:
        """Stop early where the set-up is missing.

        Raises:
            click.ClickException: With the command that makes it.
        """
        for needed in (self.root / "meltano.yml", self.meltano, self.cloudsuite_ap):
            if not needed.exists():
                raise click.ClickException(
                    f"{needed} is missing: run this from the checkout, after `make setup`."
                )

    def env(self) -> Mapping[str, str]:
        """The caller's environment without any setting of these plugins, and with the sandbox's."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
        sandbox = dict(line.split("=", 1) for line in self.home.env.read_text("utf-8").splitlines())
        return {
            **kept,
            **sandbox,
            "MELTANO_PROJECT_ROOT": str(self.root),
            "MELTANO_DATABASE_URI": f"sqlite:///{self.home.root / 'meltano.db'}",
            "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
            "NO_COLOR": "1",
        }

    def command(self, *arguments: str) -> list[str]:
        """A command line of Meltano. The sandbox's file stands in for ``.env`` with its real settings."""
        return [
            str(self.meltano),
            f"--env-file={self.home.env}",
            f"--environment={self.environment}",
            *arguments,
        ]

    def run(self, *, log: Path, tick: Callable[[], None]) -> int:
        """Run the pipeline; gives Meltano's exit code."""
        return run_logged(self.command("run", *TWO_STAGES), env=self.env(), cwd=self.root, log=log, tick=tick)

    def write_config(self) -> None:
        """Ask Meltano once what the loader's settings are, for the commands."""
        # Unsafe means that secrets are shown: the file is the sandbox's own, as are they.
        shown = capture(
            self.command("--log-level=error", "config", "--unsafe", "print", "target-infor-cloudsuite"),
            env=self.env(),
            cwd=self.root,
        )
        self.config.touch(mode=0o600)
        self.config.write_text(shown, "utf-8")

    def ap(self, *arguments: str, ok: tuple[int, ...] = (0, 3)) -> str:
        """The stdout of a ``cloudsuite-ap`` command; exit code 3 says that something needs a person."""
        return capture(self.ap_command(*arguments), env=self.env(), cwd=self.root, ok=ok)

    def ap_command(self, *arguments: str) -> list[str]:
        """The command line of a ``cloudsuite-ap`` command, as a person can type it."""
        return [str(self.cloudsuite_ap), "--config", str(self.config), *arguments]

    def typed(self, *arguments: str) -> str:
        """The same with paths relative to the checkout, for showing."""
        return shlex.join(part.removeprefix(f"{self.root}/") for part in self.ap_command(*arguments))
