"""A real OpenSSH server for the tests, and a tap run as a real process."""

from __future__ import annotations

import contextlib
import functools
import getpass
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tap_stampli_sftp.fields import StreamName
from tap_stampli_sftp.limits import Limits
from tap_stampli_sftp.pgp import Decryption, PgpKeys
from tap_stampli_sftp.reading.files import Refused, read_file
from tap_stampli_sftp.sftp.fetch import FetchedFile
from tap_stampli_sftp.sftp.listing import RemoteFile
from tap_stampli_sftp.templates import load_templates

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_stampli_sftp.reading.files import Reading

SSHD = shutil.which("sshd") or "/usr/sbin/sshd"
OLD = int(time.time()) - 86_400
LIMITS = Limits(max_file_bytes=10**8, max_field_bytes=10**6, max_unpacked_ratio=200)


@dataclass
class Server:
    """A running sshd that serves ``directory`` by SFTP to the current user."""

    port: int
    directory: Path
    key_path: Path
    fingerprint: str
    process: subprocess.Popen[bytes]
    fingerprints: dict[str, str] = field(default_factory=dict)

    def config(self, **more: Any) -> dict[str, Any]:
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "username": getpass.getuser(),
            "private_key_path": str(self.key_path),
            "host_key": self.fingerprint,
            "outbound_path": str(self.directory),
            **more,
        }

    def put(self, name: str, content: str | bytes, *, mtime: int = OLD) -> Path:
        path = self.directory / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        os.utime(path, (mtime, mtime))
        return path


def keygen(path: Path, kind: str = "ed25519", passphrase: str = "") -> str:
    """Make a key; its SHA256 fingerprint."""
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-f", str(path)], check=True)
    shown = subprocess.run(
        ["ssh-keygen", "-l", "-f", str(path) + ".pub"], check=True, capture_output=True, text=True
    )
    return shown.stdout.split()[1]


@pytest.fixture
def make_key() -> Any:
    """Make a key pair: path, kind, passphrase -> fingerprint."""
    return keygen


@contextlib.contextmanager
def running_sshd(home: Path, *lines: str, subsystem: str = "internal-sftp") -> Iterator[Server]:
    """An OpenSSH server whose keys are made in ``home``.

    Args:
        home: A directory of its own.
        lines: More of its configuration; they take the place of the default with the same keyword.
        subsystem: What serves SFTP, with its options.
    """
    if not Path(SSHD).exists() or not shutil.which("ssh-keygen"):
        pytest.skip("needs sshd and ssh-keygen: install openssh-server")
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    fingerprint = keygen(home / "host_ed25519")
    rsa = keygen(home / "host_rsa", "rsa")
    keygen(home / "client")
    authorized = home / "authorized_keys"
    authorized.write_text((home / "client.pub").read_text())
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    keywords = {line.split()[0] for line in lines}
    defaults = [
        "ListenAddress 127.0.0.1", f"Port {port}", f"HostKey {home}/host_ed25519",
        f"HostKey {home}/host_rsa", f"AuthorizedKeysFile {authorized}", "StrictModes no", "PidFile none",
        "UsePAM no", "PasswordAuthentication no", "KbdInteractiveAuthentication no", "PermitRootLogin yes",
        "MaxAuthTries 20", "MaxStartups 100", f"Subsystem sftp {subsystem}",
    ]  # fmt: skip
    kept = [line for line in defaults if line.split()[0] not in keywords]
    (home / "sshd_config").write_text("\n".join([*lines, *kept]) + "\n")
    with (home / "sshd.log").open("wb") as log:
        process = subprocess.Popen(
            [SSHD, "-D", "-e", "-f", str(home / "sshd_config")], stdout=subprocess.DEVNULL, stderr=log
        )
    try:
        _wait_for_banner(port, process, home / "sshd.log")
        yield Server(
            port=port,
            directory=home,
            key_path=home / "client",
            fingerprint=fingerprint,
            process=process,
            fingerprints={"ed25519": fingerprint, "rsa": rsa},
        )
    finally:
        process.terminate()
        process.wait(timeout=10)


@pytest.fixture(scope="session")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_sshd(tmp_path_factory.mktemp("sshd")) as found:
        yield found


@pytest.fixture
def own_sshd(tmp_path: Path) -> Iterator[Any]:
    """Start a server with a configuration of its own; see ``running_sshd``."""
    with contextlib.ExitStack() as stack:

        def start(*lines: str, subsystem: str = "internal-sftp") -> Server:
            home = tmp_path / "own_sshd"
            home.mkdir()
            found = stack.enter_context(running_sshd(home, *lines, subsystem=subsystem))
            found.directory = home / "outbound"
            found.directory.mkdir()
            return found

        yield start


def _wait_for_banner(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"sshd did not start: {log.read_text()}")
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                if connection.recv(4) == b"SSH-":
                    return
        except OSError:
            time.sleep(0.05)
    pytest.fail(f"sshd did not answer: {log.read_text()}")


@pytest.fixture
def server(sshd: Server, tmp_path: Path) -> Server:
    """The shared sshd with an empty directory of this test's own."""
    directory = tmp_path / "outbound"
    directory.mkdir()
    return Server(
        port=sshd.port,
        directory=directory,
        key_path=sshd.key_path,
        fingerprint=sshd.fingerprint,
        process=sshd.process,
        fingerprints=sshd.fingerprints,
    )


@dataclass
class Result:
    """What a run of the tap wrote."""

    code: int
    messages: list[dict[str, Any]]
    log: str

    def records(self, stream: str) -> list[dict[str, Any]]:
        return [m["record"] for m in self.messages if m["type"] == "RECORD" and m["stream"] == stream]

    @property
    def state(self) -> dict[str, Any]:
        states: list[dict[str, Any]] = [m["value"] for m in self.messages if m["type"] == "STATE"]
        return states[-1]


def tap_command(config: dict[str, Any], directory: Path, *arguments: str) -> list[str]:
    path = directory / "config.json"
    path.write_text(json.dumps(config))
    return [sys.executable, "-W", "error", "-m", "tap_stampli_sftp.tap", "--config", str(path), *arguments]


@pytest.fixture
def tap_line() -> Any:
    """The tap's command line: settings, a directory for them, arguments."""
    return tap_command


@pytest.fixture
def run_tap(tmp_path: Path) -> Any:
    """Run the tap as a process."""

    def run(
        config: dict[str, Any],
        *arguments: str,
        state: dict[str, Any] | None = None,
        catalog: dict[str, Any] | None = None,
        environment: dict[str, str] | None = None,
    ) -> Result:
        for name, value in (("state", state), ("catalog", catalog)):
            if value is not None:
                (tmp_path / f"{name}.json").write_text(json.dumps(value))
                arguments = (*arguments, f"--{name}", str(tmp_path / f"{name}.json"))
        done = subprocess.run(
            tap_command(config, tmp_path, *arguments),
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **(environment or {})},
            timeout=120,
        )
        messages = [
            json.loads(line, parse_float=Decimal)
            for line in done.stdout.splitlines()
            if line.startswith('{"type":')
        ]
        return Result(done.returncode, messages, done.stderr)

    return run


@dataclass
class Read:
    """What reading one file's content gave."""

    documents: list[dict[str, Any]]
    rejected: list[Refused]
    reading: Reading
    groups: list[tuple[Any, list[Any]]]

    @property
    def counts(self) -> tuple[int, int, int]:
        """Rows, rejected rows, rows without data."""
        return self.reading.rows, self.reading.rejected_rows, self.reading.non_data_rows


def read_content(
    directory: Path,
    content: str | bytes,
    template: dict[str, Any] | None = None,
    stream: str = "invoices",
    ending: str = ".csv",
    *,
    reject_cut: bool = False,
    limits: Limits = LIMITS,
) -> Read:
    """Read a file's content as the tap does, without a server."""
    local = directory / "spooled"
    local.write_bytes(content.encode() if isinstance(content, str) else content)
    remote = RemoteFile(mtime=0, path=f"/outbound/{stream}_1{ending}", size=local.stat().st_size)
    name = StreamName(stream)
    rules = load_templates({stream: template or {}})[name]
    with (
        Decryption(PgpKeys()) as decryption,
        read_file(
            FetchedFile(remote=remote, local=local, sha256="0" * 64),
            rules,
            limits=limits,
            decryption=decryption,
            spool=directory,
            reject_cut=reject_cut,
        ) as (reading,),
    ):
        found = list(reading.documents())
        return Read(
            documents=[item for item in found if isinstance(item, dict)],
            rejected=[item for item in found if isinstance(item, Refused)],
            reading=reading,
            groups=list(reading.grouped()),
        )


@pytest.fixture
def read(tmp_path: Path) -> Any:
    """Read content given as text or bytes; see ``read_content``."""
    return functools.partial(read_content, tmp_path)
