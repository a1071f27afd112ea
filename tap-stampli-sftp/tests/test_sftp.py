"""Logging in, listing and fetching: against OpenSSH, and against a server that misbehaves on request."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import stat
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import asyncssh
import paramiko
import pytest
from tap_stampli_sftp.errors import LoginError
from tap_stampli_sftp.settings import load_settings
from tap_stampli_sftp.sftp.connect import Session
from tap_stampli_sftp.sftp.fetch import fetched
from tap_stampli_sftp.sftp.listing import RemoteFile

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

GOOD = (
    "Invoice ID,Invoice Number,Vendor ID,Invoice Date,Currency,Invoice Amount,Line Amount\n"
    "I1,N1,V1,2026-01-31,EUR,121.00,121.00\n"
)


class Rogue:
    """An SFTP server with password login whose faults are switched on by a test."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.drops = 0
        self.vanish: str | None = None
        self.shorten: str | None = None
        self.opened: list[str] = []
        self.logins = 0
        self.refuse_banners = 0
        self.fail_listing_after = 0
        self.host_key = asyncssh.generate_private_key("ssh-ed25519")
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def start(self) -> None:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(timeout=20)
        self.port = self._server.get_port()

    def stop(self) -> None:
        async def close() -> None:
            self._server.close()
            await self._server.wait_closed()
            tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(close(), self._loop).result(timeout=20)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=20)
        self._loop.close()

    async def _listen(self) -> asyncssh.SSHAcceptor:  # noqa: C901  # one server, told in one place
        rogue = self

        class Login(asyncssh.SSHServer):
            def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
                if rogue.refuse_banners:
                    rogue.refuse_banners -= 1
                    conn.abort()

            def begin_auth(self, username: str) -> bool:
                return username is not None

            def password_auth_supported(self) -> bool:
                return True

            def validate_password(self, username: str, password: str) -> bool:
                rogue.logins += 1
                return (username, password) == ("stampli", "open sesame")

        class Files(asyncssh.SFTPServer):
            def __init__(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
                super().__init__(chan, chroot=os.fsencode(rogue.directory))

            async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
                count = 0
                async for entry in super().scandir(path):
                    count += 1
                    if rogue.fail_listing_after and count > rogue.fail_listing_after:
                        raise asyncssh.SFTPFailure("disk error")
                    yield entry

            def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
                name = os.fsdecode(path).rpartition("/")[2]
                rogue.opened.append(name)
                if name == rogue.vanish:
                    (rogue.directory / name).unlink()
                if name == rogue.shorten:
                    (rogue.directory / name).write_text("cut")
                if rogue.drops:
                    rogue.drops -= 1
                    self.channel.get_connection().abort()
                return super().open(path, pflags, attrs)

        return await asyncssh.listen(
            "127.0.0.1", 0, server_factory=Login, server_host_keys=[self.host_key], sftp_factory=Files
        )

    def config(self, **more: Any) -> dict[str, Any]:
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "username": "stampli",
            "password": "open sesame",
            "host_key": self.host_key.get_fingerprint(),
            "outbound_path": "/",
            "min_age_seconds": 0,
            **more,
        }


@pytest.fixture
def rogue(tmp_path: Path) -> Iterator[Rogue]:
    directory = tmp_path / "rogue"
    directory.mkdir()
    server = Rogue(directory)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def test_password_login(rogue: Rogue, run_tap: Any) -> None:
    (rogue.directory / "invoices_1.csv").write_text(GOOD)
    assert len(run_tap(rogue.config()).records("invoices")) == 1


def test_a_wrong_password_is_one_clear_error_tried_once(rogue: Rogue, run_tap: Any) -> None:
    result = run_tap(rogue.config(password="wrong word"))
    assert result.code == 1
    assert "Login refused" in result.log
    assert "Check username and password" in result.log
    assert "Traceback" not in result.log
    assert "wrong word" not in result.log
    assert rogue.logins == 1


def test_no_password_reaches_a_server_whose_key_is_not_pinned(rogue: Rogue, run_tap: Any) -> None:
    assert run_tap(rogue.config(host_key="SHA256:" + "A" * 43)).code == 1
    assert rogue.logins == 0


def test_a_dropped_connection_is_opened_again_and_the_file_read_whole(rogue: Rogue, run_tap: Any) -> None:
    (rogue.directory / "invoices_1.csv").write_text(GOOD)
    rogue.drops = 2
    result = run_tap(rogue.config())
    assert (result.code, len(result.records("invoices"))) == (0, 1)
    assert "Trying again" in result.log
    assert rogue.opened == ["invoices_1.csv"] * 3


def test_a_server_that_is_too_busy_is_asked_again(rogue: Rogue, run_tap: Any) -> None:
    rogue.refuse_banners = 1
    assert run_tap(rogue.config()).code == 0


def test_a_file_that_vanishes_is_reported_and_left_and_the_others_go_on(rogue: Rogue, run_tap: Any) -> None:
    for name in ("invoices_1.csv", "invoices_2.csv"):
        (rogue.directory / name).write_text(GOOD.replace("I1", name))
    rogue.vanish = "invoices_1.csv"
    result = run_tap(rogue.config())
    assert result.code == 1
    assert "/invoices_1.csv not read" in result.log
    assert [record["invoice_id"] for record in result.records("invoices")] == ["invoices_2.csv"]
    assert list(result.state["bookmarks"]["invoices"]["files"]) == ["/invoices_2.csv"]


def test_a_download_cut_short_sends_nothing(rogue: Rogue, run_tap: Any) -> None:
    (rogue.directory / "invoices_1.csv").write_text(GOOD * 3)
    rogue.shorten = "invoices_1.csv"
    result = run_tap(rogue.config())
    assert (result.code, result.records("invoices")) == (1, [])
    assert "changed while it was read" in result.log
    assert result.state["bookmarks"]["invoices"]["files"] == {}


def test_a_missing_directory_is_a_clear_error(server: Any, run_tap: Any) -> None:
    result = run_tap(server.config(outbound_path="/no/such/place"))
    assert result.code == 1
    assert "Directory /no/such/place does not exist on the server. Check outbound_path" in result.log


@pytest.mark.parametrize(
    "name",
    [
        ".invoices_1.csv",
        "invoices_1.csv.filepart",
        "invoices_1.csv.PART",
        "invoices_1.csv.tmp",
        "invoices_1.pdf",
        "x.csv",
    ],
)
def test_files_in_progress_and_foreign_ones_are_passed_over(server: Any, run_tap: Any, name: str) -> None:
    server.put(name, GOOD)
    result = run_tap(server.config())
    assert (result.code, result.records("invoices")) == (0, [])


def test_symlinks_and_directories_are_not_followed(server: Any, run_tap: Any, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text(GOOD)
    (server.directory / "invoices_link.csv").symlink_to(tmp_path / "secret.csv")
    (server.directory / "invoices_dir.csv").mkdir()
    result = run_tap(server.config(min_age_seconds=0))
    assert (result.code, result.records("invoices")) == (0, [])
    assert "not followed" in result.log


def test_odd_names_stay_remote_and_harmless_in_the_log(server: Any, run_tap: Any, tmp_path: Path) -> None:
    server.put("invoices_..\\..\n\x1b[31m.csv", GOOD)
    result = run_tap(server.config(spool_dir=str(tmp_path)))
    assert len(result.records("invoices")) == 1
    assert "\x1b" not in result.log
    assert "\n\x1b" in result.records("invoices")[0]["_sdc_source_file"]


def test_with_a_done_file_suffix_only_finished_files_are_read(server: Any, run_tap: Any) -> None:
    server.put("invoices_1.csv", GOOD)
    server.put("invoices_2.csv", GOOD.replace("I1", "I2"))
    server.put("invoices_2.csv.done", "")
    result = run_tap(server.config(done_file_suffix=".done"))
    assert [record["invoice_id"] for record in result.records("invoices")] == ["I2"]
    assert "waits for its done-file" in result.log


def test_patterns_match_whole_names_in_any_case_and_oldest_come_first(server: Any, run_tap: Any) -> None:
    server.put("INVOICES_b.CSV", GOOD.replace("I1", "second"), mtime=1_700_000_000)
    server.put("invoices_a.csv", GOOD.replace("I1", "third"), mtime=1_700_000_000)
    server.put("invoices_z.csv", GOOD.replace("I1", "first"), mtime=1_600_000_000)
    server.put("my_invoices_1.csv", GOOD)
    records = run_tap(server.config()).records("invoices")
    assert [record["invoice_id"] for record in records] == ["first", "second", "third"]


def test_start_date_and_size_bounds(server: Any, run_tap: Any) -> None:
    server.put("invoices_1.csv", GOOD, mtime=1_600_000_000)
    assert run_tap(server.config(start_date="2021-01-01")).records("invoices") == []
    result = run_tap(server.config(max_file_bytes=10))
    assert (result.code, result.records("invoices")) == (1, [])
    assert "max_file_bytes" in result.log


def test_the_spool_is_private_and_left_empty(server: Any, run_tap: Any, tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    server.put("invoices_1.csv", GOOD)
    server.put("invoices_2.csv", "Foo\n1\n")
    assert run_tap(server.config(spool_dir=str(spool))).code == 1
    assert list(spool.iterdir()) == []


def test_fetched_files_are_readable_by_their_owner_only(server: Any, tmp_path: Path) -> None:

    path = server.put("invoices_1.csv", GOOD)
    file = RemoteFile(mtime=int(path.stat().st_mtime), path=str(path), size=path.stat().st_size)
    with (
        Session(settings=load_settings(server.config()), logger=logging.getLogger("test")) as session,
        fetched(session, file, spool=tmp_path, max_bytes=10**6) as local,
    ):
        assert stat.S_IMODE(local.local.stat().st_mode) == 0o600
        assert local.local.read_bytes() == path.read_bytes()
        assert (
            subprocess.run(["sha256sum", path], capture_output=True, check=True).stdout.split()[0].decode()
            == local.sha256
        )
    assert not local.local.exists()


def test_settings_from_the_environment_as_a_process(server: Any, tmp_path: Path) -> None:
    server.put("invoices_1.csv", GOOD)
    config = server.config(templates=json.dumps({"invoices": {"null_values": ["N1"]}}))
    environment = {f"TAP_STAMPLI_SFTP_{name.upper()}": str(value) for name, value in config.items()}
    done = subprocess.run(
        [sys.executable, "-m", "tap_stampli_sftp.tap", "--config=ENV"],
        env={**os.environ, **environment},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    (record,) = [
        json.loads(line)["record"] for line in done.stdout.splitlines() if '"stream":"invoices","rec' in line
    ]
    assert (record["invoice_id"], record["invoice_number"]) == ("I1", None)


def test_a_name_that_is_not_utf_8_fails_the_listing_and_shows_the_name(server: Any, run_tap: Any) -> None:
    server.put("invoices_1.csv", GOOD)
    odd = os.fsencode(server.directory) + b"/invoices_\xff.csv"
    with open(odd, "w") as file:  # noqa: PTH123  # a name of bytes
        file.write(GOOD)
    result = run_tap(server.config())
    assert (result.code, result.records("invoices")) == (1, [])
    assert "not UTF-8" in result.log
    assert "xff" in result.log


def test_a_listing_that_fails_halfway_fails_the_run(rogue: Rogue, run_tap: Any) -> None:
    for number in range(300):
        (rogue.directory / f"invoices_{number}.csv").write_text(GOOD)
    rogue.fail_listing_after = 150
    result = run_tap(rogue.config())
    assert result.code == 1
    assert result.records("source_files") == []
    assert "Directory / cannot be listed" in result.log


class _BothFactors(paramiko.ServerInterface):
    """Wants the key first and then the password, which OpenSSH can only with PAM."""

    def get_allowed_auths(self, username: str) -> str:
        return "publickey,password" if username else ""

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        known = username == "stampli" and key.get_name() == "ssh-ed25519"
        return paramiko.common.AUTH_PARTIALLY_SUCCESSFUL if known else paramiko.common.AUTH_FAILED

    def check_auth_password(self, username: str, password: str) -> int:
        good = (username, password) == ("stampli", "open sesame")
        return paramiko.common.AUTH_SUCCESSFUL if good else paramiko.common.AUTH_FAILED


def test_a_server_may_ask_for_key_and_password_both(make_key: Any, tmp_path: Path) -> None:
    make_key(tmp_path / "key")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        config = {
            "host": "127.0.0.1", "port": port, "username": "stampli", "password": "open sesame",
            "private_key_path": str(tmp_path / "key"), "insecure_accept_any_host_key": True,
        }  # fmt: skip

        def log_in(more: dict[str, Any]) -> None:
            settings = load_settings({**config, **more})
            transports: list[paramiko.Transport] = []

            def serve() -> None:
                connection, _ = listener.accept()
                transports.append(paramiko.Transport(connection))
                transports[0].add_server_key(paramiko.ECDSAKey.generate())
                transports[0].start_server(server=_BothFactors())

            thread = threading.Thread(target=serve)
            thread.start()
            try:
                with Session(settings=settings, logger=logging.getLogger("test")) as session:
                    transport = session._trusted_transport()
                    try:
                        session._log_in(transport)
                        assert transport.is_authenticated()
                    finally:
                        transport.close()
            finally:
                thread.join(timeout=20)
                transports[0].close()

        log_in({})
        for missing in ({"password": None}, {"password": "wrong"}):
            with pytest.raises(LoginError, match="Login refused"):
                log_in(missing)
