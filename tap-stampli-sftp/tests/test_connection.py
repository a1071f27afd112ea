"""A connection that is slow, refused, silent or old, and files that change under it: against OpenSSH."""

from __future__ import annotations

import contextlib
import logging
import socket
import stat
import threading
from typing import TYPE_CHECKING, Any

import paramiko
import pytest
from tap_stampli_sftp.errors import ConnectionLost, FileGone, ListingError
from tap_stampli_sftp.settings import load_settings
from tap_stampli_sftp.sftp.connect import Session
from tap_stampli_sftp.sftp.fetch import fetched
from tap_stampli_sftp.sftp.listing import RemoteFile
from tap_stampli_sftp.tap import TapStampliSFTP

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

GOOD = (
    "Invoice ID,Invoice Number,Vendor ID,Invoice Date,Currency,Invoice Amount,Line Amount\n"
    "I1,N1,V1,2026-01-31,EUR,121.00,121.00\n"
)


def test_an_old_server_is_reached_with_extra_algorithms_and_not_without(own_sshd: Any, run_tap: Any) -> None:
    server = own_sshd("Ciphers aes128-cbc", "MACs hmac-sha1")
    server.put("invoices_1.csv", GOOD)
    today = run_tap(server.config())
    assert today.code == 1
    assert "extra_algorithms (3des-cbc, aes128-cbc" in today.log
    assert "Traceback" not in today.log
    old = run_tap(server.config(extra_algorithms="aes128-cbc, hmac-sha1"))
    assert (old.code, len(old.records("invoices"))) == (0, 1)


def test_an_unknown_algorithm_is_named(server: Any, run_tap: Any) -> None:
    result = run_tap(server.config(extra_algorithms=["hmac-sha1", "rot13"]))
    assert result.code == 1
    assert "extra_algorithms names 'rot13'" in result.log
    assert "aes128-cbc" in result.log


class _OnWarning(logging.Handler):
    """Does something when the session first says that it tries again."""

    def __init__(self, action: Callable[[], object]) -> None:
        super().__init__()
        self._action = action
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())
        if len(self.said) == 1:
            self._action()


def test_a_full_server_is_asked_again_until_it_has_room(own_sshd: Any) -> None:
    server = own_sshd("MaxStartups 1:100:1")
    logger = logging.getLogger("full")
    # One who never logs in takes the only place until the tap has been sent away; that place may still be
    # with the connection that looked whether the server is up.
    while True:
        other = socket.create_connection(("127.0.0.1", server.port))
        if other.recv(4) == b"SSH-":
            break
        other.close()
    with other:
        handler = _OnWarning(lambda: other.shutdown(socket.SHUT_RDWR))
        logger.addHandler(handler)
        with Session(settings=load_settings(server.config()), logger=logger) as session:
            found = session.run(lambda client: client.lstat(str(server.directory)), doing="Looking")
    assert stat.S_ISDIR(found.st_mode or 0)
    assert "Looking: no connection" in handler.said[0]
    assert "Trying again (2 of 5)" in handler.said[0]


class _Freezer:
    """A relay in front of a server whose first connection falls silent, but stays open, after some bytes."""

    def __init__(self, port: int, freeze_after: int) -> None:
        self._target = port
        self._left = freeze_after
        self._ends: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        first = True
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._target))
            self._ends += [client, server]
            for source, sink in ((client, server), (server, client)):
                self._threads.append(threading.Thread(target=self._relay, args=(source, sink, first)))
                self._threads[-1].start()
            first = False

    def _relay(self, source: socket.socket, sink: socket.socket, freezes: bool) -> None:  # noqa: FBT001  # a thread's argument
        with contextlib.suppress(OSError):
            while data := source.recv(16_384):
                if freezes:
                    self._left -= len(data)
                if not freezes or self._left > 0:
                    sink.sendall(data)

    def close(self) -> None:
        for end in [self._listener, *self._ends]:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(timeout=20)
        for end in [self._listener, *self._ends]:
            end.close()


def test_a_connection_that_falls_silent_is_given_up_and_opened_again(server: Any, run_tap: Any) -> None:
    server.put("invoices_1.csv", GOOD + "x" * 200_000)
    freezer = _Freezer(server.port, 100_000)
    try:
        result = run_tap(server.config(port=freezer.port, timeout_seconds=5))
    finally:
        freezer.close()
    assert "invoices_1.csv: the connection was lost" in result.log
    assert "Trying again (2 of 5)" in result.log
    assert "ends in the middle of line 3" in result.log


def test_a_host_that_no_one_knows_is_one_clear_error(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tap_stampli_sftp.sftp.connect.ATTEMPTS", 2)
    monkeypatch.setitem(Session.__init__.__kwdefaults__ or {}, "first_wait_seconds", 0.01)
    tap = TapStampliSFTP(config=server.config(host="no-such-host.invalid"))
    with pytest.raises(ConnectionLost, match=r"no connection .*2 times in a row \(no-such-host\.invalid"):
        tap.sync_all()


@pytest.mark.parametrize(
    ("denied", "message"),
    [("opendir", "may not be listed by this user"), ("readdir", "may not be listed by this user")],
)
def test_a_listing_that_the_server_refuses_fails_the_run(
    own_sshd: Any, denied: str, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    server = own_sshd(subsystem=f"internal-sftp -P {denied}")
    server.put("invoices_1.csv", GOOD)
    with pytest.raises(ListingError, match=message):
        TapStampliSFTP(config=server.config()).sync_all()
    assert "No export files" not in caplog.text


def test_a_file_that_openssh_does_not_let_open_is_reported_and_left(own_sshd: Any, run_tap: Any) -> None:
    server = own_sshd(subsystem="internal-sftp -P open")
    path = server.put("invoices_1.csv", GOOD)
    result = run_tap(server.config())
    assert result.code == 1
    assert f"{path} not read: it can't be read any more" in result.log
    assert result.state["bookmarks"]["invoices"]["files"] == {}


@pytest.mark.parametrize("change", ["vanishes", "grows", "becomes a link"])
def test_a_file_that_changes_between_listing_and_download_is_left(
    server: Any, tmp_path: Path, change: str
) -> None:
    path = server.put("invoices_1.csv", GOOD)
    file = RemoteFile(mtime=int(path.stat().st_mtime), path=str(path), size=path.stat().st_size)
    path.unlink()
    if change == "grows":
        server.put("invoices_1.csv", GOOD + "more", mtime=file.mtime)
    elif change == "becomes a link":
        path.symlink_to("/etc/hostname")
    with (
        Session(settings=load_settings(server.config()), logger=logging.getLogger("test")) as session,
        pytest.raises(FileGone, match=r"read any more|changed since|became a link"),
        fetched(session, file, spool=tmp_path, max_bytes=10**6),
    ):
        pass


def test_a_file_that_grows_while_it_is_read_is_left(
    server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = server.put("invoices_1.csv", GOOD)
    # As an lstat that came before the file grew, and one after it was read, would show it.
    file = RemoteFile(mtime=int(path.stat().st_mtime), path=str(path), size=path.stat().st_size - 1)
    lstat = paramiko.SFTPClient.lstat

    def as_listed(client: paramiko.SFTPClient, name: str) -> paramiko.SFTPAttributes:
        found = lstat(client, name)
        found.st_size = file.size
        return found

    monkeypatch.setattr(paramiko.SFTPClient, "lstat", as_listed)
    with (
        Session(settings=load_settings(server.config()), logger=logging.getLogger("test")) as session,
        pytest.raises(FileGone, match="bytes came although"),
        fetched(session, file, spool=tmp_path, max_bytes=10**6),
    ):
        pass


def test_an_unreachable_server_is_one_clear_error(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tap_stampli_sftp.sftp.connect.ATTEMPTS", 1)

    tap = TapStampliSFTP(config=server.config(port=1))
    with pytest.raises(ConnectionLost, match=r"Listing .*no connection.*Check host, port"):
        tap.sync_all()
