"""A seeded mixture of hazards in 200 files: however it is interrupted, the documents are the same."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import logging
import os
import random
import signal
import socket
import sys
import threading
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.contrib.msgspec import serialize_jsonl
from tap_stampli_sftp.errors import TapError
from tap_stampli_sftp.fields import FILE_STREAMS
from tap_stampli_sftp.run import Run
from tap_stampli_sftp.settings import load_settings
from tap_stampli_sftp.sftp.connect import Session
from tap_stampli_sftp.tap import TapStampliSFTP

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_stampli_sftp.fields import StreamName

SEED = 20260131
FILES = 200
CUTS = 12
HEAD = "Company,Invoice ID,Invoice Number,Vendor ID,Vendor Name,Invoice Date,Currency,Invoice Amount,Memo,"
HEADER = HEAD + "Line Number,Line Amount,Tag\n"


def _rows(chance: random.Random, serial: int) -> list[str]:
    rows = []
    for number in range(chance.randrange(1, 5)):
        key = f"{serial:03}{number}"
        head = f"US,I{key},N{key},V{serial % 7},Acme,2026-01-31,EUR,30.00,"
        rows += [f"{head},{line},10.00,t{line}\n" for line in range(1, 4)]
    return rows


def _xml(rows: list[str]) -> str:
    names = [name.replace(" ", "") for name in HEADER.strip().split(",")]
    text = ""
    for row in rows:
        cells = dict(zip(names, row.strip().split(","), strict=True))
        head = "".join(f"<{name}>{cells[name]}</{name}>" for name in names[:9])
        line = "".join(f"<{name}>{cells[name]}</{name}>" for name in names[9:])
        text += f"<Invoice>{head}<Lines><Line>{line}</Line></Lines></Invoice>\n"
    return f"<Invoices>{text}</Invoices>"


def _zip(text: str, name: str = "a.csv") -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), text)
    return data.getvalue()


def _whole(change: Callable[[str], str]) -> Callable[[list[str]], tuple[str, bytes]]:
    return lambda rows: (".csv", change(HEADER + "".join(rows)).encode())


def _row(change: Callable[[str], str], at: int = 0) -> Callable[[list[str]], tuple[str, bytes]]:
    return lambda rows: (".csv", (HEADER + "".join([*rows[:at], change(rows[at]), *rows[at + 1 :]])).encode())


# Fifty hazards: each makes a file's ending and bytes from good rows.
HAZARDS: list[Callable[[list[str]], tuple[str, bytes]]] = [
    _whole(lambda text: text),
    _whole(lambda text: "\ufeff" + text),
    _whole(lambda text: text.replace("\n", "\r\n")),
    _whole(lambda text: text.rstrip("\n")),
    _whole(lambda text: "\n\n" + text),
    _whole(lambda text: text + "\n\n"),
    _whole(lambda text: text + ",,,,,,,,,,,\n"),
    _whole(lambda text: text + "TOTAL,,,,,,,90.00,,,,\n"),
    _whole(lambda text: text + "US,I9,N9,V"),
    _whole(lambda text: text + 'US,I9,N9,"V'),
    _whole(lambda text: text + text.split("\n", 1)[1]),
    _whole(lambda text: text.split("\n", 1)[0]),
    _whole(lambda _: ""),
    _whole(lambda text: text.replace("Invoice ID", "invoice_id")),
    _whole(lambda text: text.replace("Invoice Number", "Bill #")),
    _whole(lambda text: text.replace("Tag", "GL Account")),
    _whole(lambda text: text.replace("Currency", "Waehrung")),
    _whole(lambda text: text.replace("Tag", "Line Amount")),
    _whole(lambda text: text.replace("30.00", "30.0")),
    _whole(lambda text: text.replace("30.00", "(30.00)")),
    _whole(lambda text: text.replace("30.00", "30.00-")),
    _whole(lambda text: text.replace("30.00", "$30.00")),
    _whole(lambda text: text.replace("30.00", '"1,030.00"')),
    _whole(lambda text: text.replace("10.00", "10.001")),
    _whole(lambda text: text.replace("10.00", "1.234")),
    _row(lambda row: row.replace("10.00", "ten")),
    _row(lambda row: row.replace("2026-01-31", "31/01/2026")),
    _row(lambda row: row.replace("30.00", "31.00"), at=1),
    _row(lambda row: row.replace(",2,", ",1,"), at=1),
    _row(lambda row: row.replace("EUR", "EURO")),
    _row(lambda row: row.replace("EUR", "JPY")),
    _row(lambda row: row.replace("Acme", '"Ac"me')),
    _row(lambda row: row.replace("Acme", '"A ""B"", C"')),
    _row(lambda row: row.replace(",,1,", ',"a\r\n\r\nb",1,')),
    _row(lambda row: row.replace(",,1,", ",=1+1,1,")),
    _row(lambda row: row.rstrip("\n") + ",more\n"),
    _row(lambda row: row.rsplit(",", 2)[0] + "\n"),
    _row(lambda row: "," * 9 + ",".join(row.split(",")[9:]), at=1),
    _row(lambda row: "," * 9 + ",".join(row.split(",")[9:])),
    _row(lambda row: row.replace("US,", "DE,")),
    lambda rows: (".csv", (HEADER + "".join(reversed(rows))).encode()),
    lambda rows: (".csv", HEADER.encode() + "".join(rows).replace("Acme", "Müller").encode("cp1252")),
    lambda rows: (".csv", (HEADER + "".join(rows)).encode("utf-16")),
    lambda rows: (".tsv", (HEADER + "".join(rows)).replace(",", "\t").encode()),
    lambda rows: (".csv.gz", gzip.compress((HEADER + "".join(rows)).encode(), mtime=0)),
    lambda rows: (".csv.gz", gzip.compress((HEADER + "".join(rows)).encode(), mtime=0)[:-9]),
    lambda rows: (".zip", _zip(HEADER + "".join(rows))),
    lambda rows: (".zip", _zip(HEADER + "".join(rows))[:-9]),
    lambda rows: (".xml", _xml(rows).encode()),
    lambda rows: (".xml", _xml(rows)[:-30].encode()),
]


def _canonical(text: bytes | bytearray) -> str:
    return json.dumps(json.loads(text, parse_float=str), sort_keys=True)


class _Outlet:
    """Keeps what a run sends; a STATE counts from then on, as it does for a runner of Singer pipelines."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state
        self.kept = json.dumps(state)
        self.sent: set[tuple[str, str]] = set()

    def send(self, stream: StreamName, record: dict[str, Any]) -> None:
        self.sent.add((str(stream), _canonical(serialize_jsonl(record))))

    def send_state(self) -> None:
        self.kept = json.dumps(self.state)

    def check_interrupted(self) -> None:
        pass


def _run(config: dict[str, Any], state: str) -> _Outlet:
    value = json.loads(state)
    outlet = _Outlet(value)
    logger = logging.getLogger("mixture")
    logger.setLevel(logging.CRITICAL)
    run = Run(settings=load_settings(config), streams=FILE_STREAMS, state=value, outlet=outlet, logger=logger)
    run.everything()
    outlet.send_state()
    return outlet


def _to_the_end(config: dict[str, Any]) -> set[tuple[str, str]]:
    """Run until nothing changes: what was sent, each once."""
    sent: set[tuple[str, str]] = set()
    state = "{}"
    while True:
        outlet = _run(config, state)
        sent |= outlet.sent
        if outlet.kept == state:
            return sent
        state = outlet.kept


def _killed_run(config: dict[str, Any], state: str) -> tuple[set[tuple[str, str]], str, bool]:
    """The tap as a process, killed by SIGKILL at the first STATE that knows more: records, STATE, killed.

    A fork of this process, as importing the tap 200 times would take minutes; what it writes goes through a
    pipe, and a line that the kill cut off is lost, as it is to a target.
    """
    readable, writable = os.pipe()
    child = os.fork()
    if not child:
        os.dup2(writable, 1)
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115  # the descriptor is the pipe
        with contextlib.suppress(TapError):
            TapStampliSFTP(config=config, state=json.loads(state), parse_env_config=False).sync_all()
        sys.stdout.flush()
        os._exit(0)
    os.close(writable)
    sent: set[tuple[str, str]] = set()
    killed = False
    with os.fdopen(readable, "rb") as output:
        for line in output:
            if not line.endswith(b"\n"):
                break
            message = json.loads(line, parse_float=str)
            if message["type"] == "RECORD":
                sent.add((message["stream"], json.dumps(message["record"], sort_keys=True)))
            elif message["type"] == "STATE":
                text = json.dumps(message["value"])
                if not killed and text != state:
                    os.kill(child, signal.SIGKILL)
                    killed = True
                state = text
    _, status = os.waitpid(child, 0)
    return sent, state, os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def _killed_to_the_end(config: dict[str, Any]) -> tuple[set[tuple[str, str]], int]:
    """The same by processes that are killed after every file: what was sent, and how many were killed."""
    sent: set[tuple[str, str]] = set()
    state = "{}"
    kills = 0
    while True:
        more, kept, killed = _killed_run(config, state)
        sent |= more
        kills += killed
        if kept == state:
            return sent, kills
        state = kept


class _Cutter:
    """A relay in front of the server that cuts connections after seeded numbers of bytes."""

    def __init__(self, port: int, chance: random.Random) -> None:
        self._target = port
        self._chance = chance
        self.cuts = 0
        self._connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            budget = 1 << 40
            # Twice in a row at most: the tap gives up when it is cut off at each of five tries.
            if self.cuts < CUTS and self._connections % 3:
                self.cuts += 1
                budget = self._chance.randrange(200, 30_000)
            elif self.cuts < CUTS:
                self.cuts += 1
                budget = self._chance.randrange(30_000, 60_000)
            self._connections += 1
            thread = threading.Thread(target=self._serve, args=(client, [budget]))
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket, budget: list[int]) -> None:
        with client, socket.create_connection(("127.0.0.1", self._target)) as server:
            back = threading.Thread(target=self._relay, args=(server, client, budget))
            back.start()
            self._relay(client, server, budget)
            back.join()

    @staticmethod
    def _relay(source: socket.socket, sink: socket.socket, budget: list[int]) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(16_384):
                budget[0] -= len(data)
                if budget[0] < 0:
                    break
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(timeout=20)


@pytest.fixture
def mixture(server: Any) -> Any:
    print(f"seed {SEED}")  # noqa: T201  # pytest shows it with a failure
    chance = random.Random(SEED)  # noqa: S311  # no secret
    assert len(HAZARDS) == 50
    for serial in range(FILES):
        ending, data = HAZARDS[serial % len(HAZARDS)](_rows(chance, serial))
        # Several files have the same second, some a later name but an older mtime.
        server.put(f"invoices_{serial:03}{ending}", data, mtime=1_700_000_000 + chance.randrange(40))
    return server


@pytest.mark.timeout(600)
def test_interrupted_in_any_way_the_documents_are_the_same(
    mixture: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(Session.__init__.__kwdefaults__ or {}, "first_wait_seconds", 0.01)
    template = {"invoices": {"footer_pattern": "^TOTAL"}}
    config = mixture.config(templates=template, lookback_days=100_000)
    expected = _to_the_end(config)
    kinds = {stream for stream, _ in expected}
    assert kinds == {"invoices", "rejected_rows", "source_files"}
    assert len(expected) > FILES

    # The processes are forks and have this too: a STATE after each file, to be killed at.
    monkeypatch.setattr("tap_stampli_sftp.run.STATE_EVERY_SECONDS", 0.0)
    monkeypatch.setattr("tap_stampli_sftp.run.STATE_SHARE", 1e9)
    killed, kills = _killed_to_the_end(config)
    assert killed == expected
    assert kills > FILES // 2

    chance = random.Random(SEED + 1)  # noqa: S311  # no secret
    cutter = _Cutter(mixture.port, chance)
    try:
        cut = _to_the_end({**config, "port": cutter.port})
    finally:
        cutter.close()
    assert cutter.cuts == CUTS
    assert cut == expected
