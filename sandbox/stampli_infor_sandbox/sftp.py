"""The Stampli side: an SFTP server that shows one directory to one user."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

import asyncssh

if TYPE_CHECKING:
    from pathlib import Path


class _Login(asyncssh.SSHServer):
    def __init__(self, username: str, password: str, client_key: str) -> None:
        self._username = username
        self._password = password
        self._client_key = client_key
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn

    def begin_auth(self, username: str) -> bool:
        if self._connection is not None and username == self._username:
            self._connection.set_authorized_keys(asyncssh.import_authorized_keys(self._client_key))
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        known = f"{self._username}\0{self._password}"
        return hmac.compare_digest(known.encode(), f"{username}\0{password}".encode())


async def start_sftp(  # noqa: PLR0913 - what one listener needs
    *, root: Path, port: int, username: str, password: str, host_key: Path, client_key: str
) -> asyncssh.SSHAcceptor:
    """Listen on 127.0.0.1.

    Args:
        root: What the client sees as ``/``.
        port: Port, 0 for a free one.
        username: The one user.
        password: The user's password.
        host_key: Private host key file.
        client_key: Public key (one line) that the user may log in with instead of the password.
    """

    def factory(channel: asyncssh.SSHServerChannel[bytes]) -> asyncssh.SFTPServer:
        return asyncssh.SFTPServer(channel, chroot=str(root).encode())

    return await asyncssh.listen(
        "127.0.0.1",
        port,
        server_factory=lambda: _Login(username, password, client_key),
        server_host_keys=[str(host_key)],
        sftp_factory=factory,
        reuse_address=True,
    )
