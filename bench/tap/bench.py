"""Measure the tap against its peers and the floor: one sshd, the same files, one run.

    python -m bench.tap.bench speed|transfer|poll|memory [--rows N] [--files N] [--gigabytes N]

Makes the peers' environments under bench/.venv, and its files under --work. Prints JSON lines;
figures that are kept stand in bench/README.md.
"""

from __future__ import annotations

import argparse
import csv
import getpass
import json
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

from bench.environments import TAP, environment

HERE = Path(__file__).parent
PEER = ("tap-sftp", "tap-sftp==1.3.0")
DLT_PACKAGES = ("dlt", "dlt[filesystem]>=1,<2", "pandas", "paramiko<4")
HEADER = (
    "Company,Invoice ID,Invoice Number,Invoice Type,Vendor ID,Vendor External ID,Vendor Name,Invoice Date,"
    "Due Date,GL Posting Date,Approved Date,Currency,Invoice Amount,Tax Amount,PO Number,Payment Terms,"
    "Memo,Status,"
    "Line Number,Line Amount,Line Tax Amount,Tax Code,Line Description,GL Account,Department,Cost Center,"
    "Location,Project"
)
FLOOR = """
import csv, json, subprocess, sys
batch, local = sys.argv[1], sys.argv[2]
command = ["sftp", "-q", "-F", batch + ".ssh", "-b", batch, "bench"]
subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
with open(local, newline="") as file:
    for row in csv.DictReader(file):
        sys.stdout.write(json.dumps(row) + "\\n")
"""
DLT = """
import json, sys
from dlt.sources.filesystem import filesystem, read_csv
url, user, key, port = sys.argv[1:5]
from dlt.sources.credentials import SFTPCredentials
credentials = SFTPCredentials(sftp_username=user, sftp_key_filename=key, sftp_port=int(port))
files = filesystem(bucket_url=url, credentials=credentials, file_glob="invoices_*.csv")
for row in files | read_csv():
    sys.stdout.write(json.dumps(row, default=str) + "\\n")
"""


Command = list[str | Path]


def make_csv(path: Path, rows: int) -> None:
    """Write invoices of 1 to 8 lines, 28 columns; the same for the same number of rows."""
    chance = random.Random(7)  # noqa: S311  # no secret
    with path.open("w", newline="", encoding="utf-8") as file:
        write = csv.writer(file, lineterminator="\r\n").writerow
        write(HEADER.split(","))
        done = invoice = 0
        while done < rows:
            invoice += 1
            lines = [
                chance.randrange(100, 900_000)
                for _ in range(min(chance.choice((1, 1, 2, 3, 5, 8)), rows - done))
            ]
            taxes = [amount // 5 for amount in lines]
            vendor, day = (
                chance.randrange(2000),
                f"2026-{chance.randrange(1, 13):02}-{chance.randrange(1, 28):02}",
            )
            head = [
                "US01", f"INV-{invoice:08}", f"RE-2026-{invoice}", "INVOICE", f"V{vendor:05}",
                f"{10000 + vendor}",
                f"Vendor {vendor}, Ltd", day, day, day, day, "USD", f"{(sum(lines) + sum(taxes)) / 100:.2f}",
                f"{sum(taxes) / 100:.2f}", f"PO{invoice % 5000}", "NET30", "approved by AP", "Approved",
            ]  # fmt: skip
            for number, (amount, tax) in enumerate(zip(lines, taxes, strict=True), start=1):
                write([
                    *head, number, f"{amount / 100:.2f}", f"{tax / 100:.2f}", "V1",
                    f"Item {chance.randrange(9999)} of the order", f"{6000 + chance.randrange(300)}",
                    f"D{chance.randrange(40)}",
                    f"CC{chance.randrange(90)}", "NYC", f"P{chance.randrange(500)}",
                ])  # fmt: skip
                done += 1
    old = time.time() - 86_400
    os.utime(path, (old, old))


class Server:
    """An sshd of its own on loopback."""

    def __init__(self, work: Path) -> None:
        self.work = work
        for name in ("host", "client"):
            (work / name).unlink(missing_ok=True)
            kind = "rsa" if name == "client" else "ed25519"
            subprocess.run(
                ["ssh-keygen", "-q", "-t", kind, "-m", "PEM", "-N", "", "-f", work / name], check=True
            )
        shown = subprocess.run(
            ["ssh-keygen", "-lf", work / "host.pub"], check=True, capture_output=True, text=True
        )
        self.fingerprint = shown.stdout.split()[1]
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        (work / "sshd_config").write_text(
            f"ListenAddress 127.0.0.1\nPort {self.port}\nHostKey {work}/host\n"
            f"AuthorizedKeysFile {work}/client.pub\n"
            "StrictModes no\nPidFile none\nUsePAM no\nPermitRootLogin yes\nSubsystem sftp internal-sftp\n"
        )
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        sshd = shutil.which("sshd") or "/usr/sbin/sshd"
        self.process = subprocess.Popen(
            [sshd, "-D", "-e", "-f", work / "sshd_config"], stderr=subprocess.DEVNULL
        )
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    break
            time.sleep(0.05)

    def config(self, directory: Path) -> Path:
        """The tap's settings for a directory, as a file."""
        path = self.work / "tap.json"
        config = {
            "host": "127.0.0.1", "port": self.port, "username": getpass.getuser(),
            "host_key": self.fingerprint,
            "private_key_path": str(self.work / "client"), "outbound_path": str(directory),
            "spool_dir": str(self.work), "max_file_bytes": 10**11,
        }  # fmt: skip
        path.write_text(json.dumps(config))
        return path

    def batch(self, commands: str) -> Path:
        """A batch file for OpenSSH's sftp, with its settings beside it."""
        path = self.work / "batch"
        path.write_text(commands)
        Path(f"{path}.ssh").write_text(
            f"Host bench\nHostName 127.0.0.1\nPort {self.port}\nUser {getpass.getuser()}\n"
            f"IdentityFile {self.work}/client\n"
            f"IdentitiesOnly yes\nStrictHostKeyChecking no\n"
            f"UserKnownHostsFile {self.work}/known\nLogLevel ERROR\n"
        )
        return path


def timed(command: Command, name: str, **more: object) -> dict[str, object]:
    """Run a command with its output to a file; wall seconds, CPU seconds, peak memory."""
    with Path(os.devnull).open("wb") as out, (HERE / ".bench.log").open("wb") as log:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=log)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
    if status:
        sys.exit(f"{name} failed:\n{(HERE / '.bench.log').read_text()[-2000:]}")
    return {
        "what": name, "seconds": round(seconds, 2), "cpu": round(usage.ru_utime + usage.ru_stime, 2),
        "peak_mb": usage.ru_maxrss // 1024, **more,
    }  # fmt: skip


def best(times: int, command: Command, name: str) -> dict[str, object]:
    """The run of least wall time."""
    return min((timed(command, name) for _ in range(times)), key=lambda run: float(str(run["seconds"])))


def tap(server: Server, directory: Path, *more: str | Path) -> Command:
    """The tap's command line."""
    return [TAP / "tap-stampli-sftp", "--config", server.config(directory), *more]


def speed(server: Server, rows: int, times: int) -> None:
    """Rows a second from SFTP to messages: the tap, its peers, the floor."""
    directory = server.work / "speed"
    directory.mkdir(exist_ok=True)
    path = directory / "invoices_1.csv"
    make_csv(path, rows)
    batch = server.batch(f"get {path} {server.work}/fetched.csv\n")
    table = {
        "table_name": "invoices", "search_prefix": str(directory), "search_pattern": "invoices_.*csv",
        "key_properties": [], "delimiter": ",",
    }  # fmt: skip
    config = {
        "host": "127.0.0.1", "port": server.port, "username": getpass.getuser(),
        "start_date": "2020-01-01T00:00:00Z",
        "private_key_file": str(server.work / "client"), "tables": json.dumps([table]),
    }  # fmt: skip
    (server.work / "peer.json").write_text(json.dumps(config))
    peer: Command = [environment(*PEER) / "tap-sftp", "--config", server.work / "peer.json"]
    found = subprocess.run([*peer, "--discover"], check=True, capture_output=True, text=True)
    catalog = json.loads(found.stdout)
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            entry["metadata"]["selected"] = True
    (server.work / "catalog.json").write_text(json.dumps(catalog))
    url = f"sftp://127.0.0.1{directory}"
    dlt: Command = [
        environment(*DLT_PACKAGES) / "python",
        "-c",
        DLT,
        url,
        getpass.getuser(),
        server.work / "client",
        str(server.port),
    ]
    commands: dict[str, Command] = {
        "tap-stampli-sftp": tap(server, directory),
        "floor": [sys.executable, "-c", FLOOR, batch, server.work / "fetched.csv"],
        "tap-sftp 1.3": [*peer, "--catalog", server.work / "catalog.json"],
        "dlt filesystem": dlt,
    }
    for name, command in commands.items():
        run = best(times, command, name)
        print(json.dumps({**run, "rows_per_second": round(rows / float(str(run["seconds"])))}))


def transfer(server: Server, megabytes: int, times: int) -> None:
    """The tap's own download against OpenSSH's client."""
    path = server.work / "random.bin"
    with path.open("wb") as file:
        for _ in range(megabytes):
            file.write(os.urandom(1024**2))
    code = (
        "import sys,json,logging,pathlib\nfrom tap_stampli_sftp.settings import load_settings\n"
        "from tap_stampli_sftp.sftp.connect import Session\nfrom tap_stampli_sftp.sftp.fetch import fetched\n"
        "from tap_stampli_sftp.sftp.listing import RemoteFile\n"
        "s=load_settings(json.load(open(sys.argv[1])));p=pathlib.Path(sys.argv[2]);t=p.stat()\n"
        "f=RemoteFile(int(t.st_mtime),str(p),t.st_size)\n"
        "with Session(settings=s,logger=logging.getLogger()) as c, "
        "fetched(c,f,spool=s.spool_dir,max_bytes=10**12): pass\n"
    )
    ours: Command = [TAP / "python", "-c", code, server.config(server.work), path]
    batch = server.batch(f"get {path} {server.work}/fetched.bin\n")
    theirs: Command = ["sftp", "-q", "-F", f"{batch}.ssh", "-b", str(batch), "bench"]
    for name, command in (("tap", ours), ("openssh sftp", theirs)):
        run = best(times, command, name)
        print(json.dumps({**run, "mb_per_second": round(megabytes / float(str(run["seconds"])))}))


def poll(server: Server, files: int, times: int) -> None:
    """A poll of a directory of known files against a bare listing of it by the same library."""
    directory = server.work / "poll"
    directory.mkdir(exist_ok=True)
    old = time.time() - 60 * 86_400
    entries = {}
    for number in range(files):
        path = directory / f"invoices_2026-01-31T10-15-00_company_{number:06}.csv"
        path.touch()
        os.utime(path, (old, old))
        entries[str(path)] = {"size": 0, "mtime": int(old), "sha256": "0" * 64}
    state = server.work / "state.json"
    state.write_text(json.dumps({"bookmarks": {"invoices": {"files": entries, "old": [], "seen": {}}}}))
    first = subprocess.run(
        tap(server, directory, "--state", state), check=True, capture_output=True, text=True
    )
    last = json.loads(first.stdout.splitlines()[-1])["value"]
    state.write_text(json.dumps(last))
    bare = (
        "import sys,json,logging\nfrom tap_stampli_sftp.settings import load_settings\n"
        "from tap_stampli_sftp.tap import TapStampliSFTP\n"
        "from tap_stampli_sftp.sftp.connect import Session\n"
        "s=load_settings(json.load(open(sys.argv[1])))\n"
        "with Session(settings=s,logger=logging.getLogger()) as c:\n"
        " print(c.run(lambda client: sum(1 for _ in client.listdir_iter(s.outbound_path)),doing='x'))\n"
    )
    runs = [
        best(times, tap(server, directory, "--state", state), "poll"),
        best(times, [TAP / "python", "-c", bare, server.config(directory)], "bare listing"),
    ]
    ratio = statistics.mean([float(str(runs[0]["seconds"])) / float(str(runs[1]["seconds"]))])
    for run in runs:
        print(json.dumps({**run, "files": files, "state_bytes": state.stat().st_size}))
    print(json.dumps({"what": "poll / bare listing", "ratio": round(ratio, 2)}))


def memory(server: Server, gigabytes: float) -> None:
    """Peak memory while a large file is read."""
    directory = server.work / "memory"
    directory.mkdir(exist_ok=True)
    rows = int(gigabytes * 1024**3 / 239)
    make_csv(directory / "invoices_1.csv", rows)
    run = timed(tap(server, directory), "memory")
    size = (directory / "invoices_1.csv").stat().st_size
    print(
        json.dumps(
            {**run, "rows": rows, "bytes": size, "rows_per_second": round(rows / float(str(run["seconds"])))}
        )
    )


def main() -> None:
    """Measure what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["speed", "transfer", "poll", "memory"])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--megabytes", type=int, default=512)
    parser.add_argument("--gigabytes", type=float, default=2.0)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--work", type=Path, default=Path.cwd() / ".sandbox" / "bench-tap")
    chosen = parser.parse_args()
    chosen.work.mkdir(parents=True, exist_ok=True)
    server = Server(chosen.work.resolve())
    try:
        if chosen.what == "speed":
            speed(server, chosen.rows, chosen.times)
        elif chosen.what == "transfer":
            transfer(server, chosen.megabytes, chosen.times)
        elif chosen.what == "poll":
            poll(server, chosen.files, chosen.times)
        else:
            memory(server, chosen.gigabytes)
    finally:
        server.process.terminate()
        server.process.wait()


if __name__ == "__main__":
    main()
