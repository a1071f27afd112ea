"""``stampli-infor-sandbox demo``: the pipeline against a fresh sandbox, twice, and the books compared."""

from __future__ import annotations

import fcntl
import json
import shutil
import signal
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.markup import escape

from stampli_infor_sandbox.demo import show, spend, tally
from stampli_infor_sandbox.demo.processes import ProcessError, running_sandbox
from stampli_infor_sandbox.demo.project import TWO_STAGES, Project
from stampli_infor_sandbox.home import Home
from stampli_infor_sandbox.ledger_view import ASSUMPTIONS, books
from stampli_infor_sandbox.m3.database import open_for_reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PROGRESS_SECONDS = 1.0
_PROGRESS_LINE_SECONDS = 5.0


@click.command("demo")
@click.option("--project", type=click.Path(path_type=Path, exists=True), default=".", help="The checkout.")
@click.option(
    "--home", "home_path", type=click.Path(path_type=Path), help="Default: .sandbox/demo in the checkout."
)
@click.option(
    "--real",
    "data",
    type=click.Path(path_type=Path),
    help="Folder with the real spend files instead of the sample.",
)
def demo_command(*, project: Path, home_path: Path | None, data: Path | None) -> None:
    """Run the whole pipeline against a fresh sandbox, twice, and compare the books."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    root = project.resolve()
    home = Home((home_path or root / ".sandbox" / ("demo-real" if data else "demo")).resolve())
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=140)
    demo = Demo(Project(root, home, "sandbox-real" if data else "sandbox"), console, data)
    with _alone(home.root):
        try:
            faults = demo.run()
        except (ProcessError, OSError, ValueError) as error:
            raise click.ClickException(str(error)) from error
    for fault in faults:
        console.print("[red]WRONG:[/]", escape(fault), soft_wrap=True)
    if faults:
        sys.exit(1)


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Keep two demos out of one directory."""
    home.parent.mkdir(parents=True, exist_ok=True)
    with home.with_name(home.name + ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise click.ClickException(
                f"another demo is running in {home}; wait for it or use --home"
            ) from None
        yield


class Demo:
    """One demo, from an empty directory to a verdict."""

    def __init__(self, project: Project, console: Console, data: Path | None) -> None:
        self._project = project
        self._home = project.home
        self._console = console
        self._data = data

    def run(self) -> list[str]:
        """Run it.

        Returns:
            What is wrong, in words; nothing when all is well.

        Raises:
            ProcessError: A process did not do what it had to.
        """
        self._project.check()
        if self._home.root.exists():
            shutil.rmtree(self._home.root)
        options = ("--scenario", "real", "--data", str(self._data)) if self._data else ()
        with running_sandbox(self._home, *options) as described:
            self._say(
                f"[bold]Sandbox[/]: SFTP server on 127.0.0.1:{described['sftp']['port']}, ION gateway with "
                f"M3 behind it on {described['gateway']['base_url']}. {ASSUMPTIONS}"
            )
            before = self._books()
            self._project.write_config()
            faults = self._first(before) or self._second()
        if not faults:
            self._say(
                "[green]All books agree; nothing was posted twice.[/] Everything that was started is stopped."
            )
        return faults

    def _first(self, before: dict[str, Any]) -> list[str]:
        faults = self._pipeline("First run", "run-1.log")
        if faults:
            return faults
        status = json.loads(self._project.ap("status", "--format", "json"))
        rows = tally.run_rows(self._project.output)
        after = self._books()
        self._console.print(show.outcome(status, rows))
        ledger, audit = tally.in_ledger(status), tally.in_audit(self._project.output / "audit")
        m3 = tally.in_m3(before, after)
        self._console.print(show.three_books(ledger, audit, m3))
        requests = after["requests"]
        self._say(f"{requests['http']} requests to the gateway, {requests['throttled']} of them throttled.")
        faults = tally.disagreements(ledger, audit, m3)
        faults.extend(
            f"batch {batch['inbn']} of {batch['number']} is left open in M3" for batch in after["staged"]
        )
        if not ledger.counts:
            faults.append("nothing was posted at all")
        if self._data:
            faults.extend(self._account(rows))
        verified = json.loads(self._project.ap("--format", "json", "audit", "verify", ok=(0, 1)))
        faults.extend(f"audit trail: {problem}" for problem in verified["problems"])
        self._say(f"Audit trail: {self._shown(self._project.output / 'audit')}, {verified['events']} events.")
        self._say(f"What waits for a person: {self._project.typed('review', 'list')}")
        return faults

    def _account(self, rows: list[dict[str, str]]) -> list[str]:
        groups = spend.count(self._home.outbound)
        account = spend.account_for(groups, rows)
        self._console.print(show.accounted(account, groups))
        return account.faults

    def _second(self) -> list[str]:
        before = self._books()
        faults = self._pipeline("Second run", "run-2.log")
        after = self._books()
        if any(before[name] != after[name] for name in ("invoices", "staged", "statements")):
            faults.append("the second run changed M3's books")
        posted = len(after["invoices"]) - len(before["invoices"])
        requests = after["requests"]["http"] - before["requests"]["http"]
        self._say(f"The second run posted {posted} invoices and made {requests} requests.")
        return faults

    def _pipeline(self, title: str, log_name: str) -> list[str]:
        log = self._home.root / log_name
        self._say(
            f"[bold]{title}[/]: meltano --environment={self._project.environment} run {' '.join(TWO_STAGES)}"
        )
        started = time.monotonic()
        with self._progress(title, started) as tick:
            code = self._project.run(log=log, tick=tick)
        self._say(f"{title}: {time.monotonic() - started:.1f} s, log in {self._shown(log)}")
        if code:
            tail = log.read_text("utf-8", errors="replace").splitlines()[-12:]
            return [f"{title} ended with code {code}:\n" + "\n".join(tail)]
        return []

    @contextmanager
    def _progress(self, title: str, started: float) -> Iterator[Callable[[], None]]:
        """A line that lives on a terminal, a line every few seconds elsewhere."""
        told = started
        pause = _PROGRESS_SECONDS if self._console.is_terminal else _PROGRESS_LINE_SECONDS

        def text() -> str:
            invoices, requests = self._counts()
            return (
                f"{title}: {time.monotonic() - started:.0f} s, {invoices} invoices in M3, {requests} requests"
            )

        with self._console.status(f"{title} ..") as status:

            def tick() -> None:
                nonlocal told
                if time.monotonic() - told < pause:
                    return
                told = time.monotonic()
                if self._console.is_terminal:
                    status.update(text())
                else:
                    self._say(text())

            yield tick

    def _books(self) -> dict[str, Any]:
        connection = open_for_reading(self._home.database)
        try:
            return books(connection)
        finally:
            connection.close()

    def _counts(self) -> tuple[int, int]:
        """Invoices in M3 and requests so far, without reading the whole books."""
        connection = open_for_reading(self._home.database)
        try:
            invoices: int = connection.execute("SELECT count(*) FROM invoice").fetchone()[0]
            requests = connection.execute("SELECT n FROM request_count WHERE name = 'http'").fetchone()
            return invoices, requests[0] if requests else 0
        finally:
            connection.close()

    def _shown(self, path: Path) -> str:
        return str(path).removeprefix(f"{self._project.root}/")

    def _say(self, text: str) -> None:
        self._console.print(text, soft_wrap=True)
