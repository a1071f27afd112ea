"""One connection to the server: opened with a checked host key, opened again when it drops."""

from __future__ import annotations

import contextlib
import io
import logging
import socket
from typing import TYPE_CHECKING, Self, TypeVar

import paramiko
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential, wait_random

from tap_stampli_sftp.errors import ConnectionLost, LoginError, SettingsError
from tap_stampli_sftp.sftp.algorithms import choose, old_ones
from tap_stampli_sftp.sftp.host_keys import HostKeyRule, family, load_rule
from tap_stampli_sftp.sftp.whole_reads import WholeReads

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_stampli_sftp.settings import Settings

ATTEMPTS = 5
FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 20.0
# Larger than paramiko's own: each packet is a hand-over between its threads.
WINDOW_BYTES = 8 * 1024**2
PACKET_BYTES = 128 * 1024

T = TypeVar("T")


class _Dropped(Exception):  # noqa: N818  # named for what happened
    """The connection is gone; connecting again may help."""


class Session:
    """The one SFTP connection of a run, opened lazily, closed by ``with``.

    Args:
        settings: Where and as whom to log in, and which host keys are pinned.
        logger: Told about lost connections.
        first_wait_seconds: Pause before the second try; doubles from there.
    """

    def __init__(
        self, *, settings: Settings, logger: logging.Logger, first_wait_seconds: float = FIRST_WAIT_SECONDS
    ) -> None:
        # paramiko logs every dropped connection with a traceback; what happened is in our own message.
        logging.getLogger("paramiko").setLevel(logging.CRITICAL + 1)
        self._settings = settings
        self._logger = logger
        self._first_wait = first_wait_seconds
        self._rule = load_rule(
            host=settings.host,
            port=settings.port,
            pinned=settings.host_keys,
            known_hosts_path=settings.known_hosts_path,
            any_key=settings.accept_any_host_key,
        )
        self._key = (
            load_key(settings.private_key, settings.private_key_passphrase) if settings.private_key else None
        )
        self._transport: paramiko.Transport | None = None
        self._client: paramiko.SFTPClient | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._transport is not None:
            self._transport.close()
        self._transport = self._client = None

    def run(self, action: Callable[[paramiko.SFTPClient], T], *, doing: str) -> T:
        """Do something with the server; when the connection drops, connect again and do all of it again.

        Args:
            action: Gets the SFTP client; must be repeatable.
            doing: What it does, for the messages: ``listing /outbound``.

        Raises:
            LoginError: The server refused us, or its host key is not the pinned one.
            ConnectionLost: The last of several tries failed as well.
        """
        tries = Retrying(
            retry=retry_if_exception_type(_Dropped),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_exponential(multiplier=self._first_wait, max=LONGEST_WAIT_SECONDS)
            + wait_random(0, self._first_wait),
            before_sleep=lambda state: self._logger.warning(
                "%s: %s. Trying again (%d of %d).",
                doing,
                state.outcome.exception() if state.outcome else "",
                state.attempt_number + 1,
                ATTEMPTS,
            ),
            reraise=True,
        )
        try:
            result: T = tries(self._once, action)
        except _Dropped as error:
            where = f"{self._settings.host} port {self._settings.port}"
            raise ConnectionLost(
                f"{doing}: {error}, {ATTEMPTS} times in a row ({where}). Check host, port and the "
                "network; the next "
                "run goes on where this one stopped."
            ) from None
        return result

    def _once(self, action: Callable[[paramiko.SFTPClient], T]) -> T:
        client = self._client or self._open()
        try:
            return action(client)
        except (paramiko.SSHException, paramiko.SFTPError, EOFError, OSError) as error:
            # A status such as "no such file" is an answer of a living connection, and the caller's business.
            alive = self._transport is not None and self._transport.is_active()
            if alive and isinstance(error, OSError) and not isinstance(error, TimeoutError):
                raise
            self.close()
            raise _Dropped(f"the connection was lost ({str(error) or type(error).__name__})") from error

    def _open(self) -> paramiko.SFTPClient:
        try:
            transport = self._trusted_transport()
            self._transport = transport
            self._log_in(transport)
            transport.set_keepalive(self._settings.keepalive_seconds)
            client = paramiko.SFTPClient.from_transport(
                transport, window_size=WINDOW_BYTES, max_packet_size=PACKET_BYTES
            )
        except LoginError:
            self.close()
            raise
        except (paramiko.SSHException, EOFError, OSError) as error:
            self.close()
            raise _Dropped(f"no connection ({str(error) or type(error).__name__})") from error
        if client is None or (channel := client.get_channel()) is None:
            raise _Dropped("the server opened no SFTP session")
        channel.settimeout(self._settings.timeout_seconds)
        # Nothing is asked yet, so nothing can have come.
        channel.in_buffer = WholeReads()
        if channel.closed or channel.eof_received:
            channel.in_buffer.close()
        self._client = client
        return client

    def _trusted_transport(self) -> paramiko.Transport:
        """Connect; a fingerprint tells no kind of key, so ask for each kind until a pinned one shows."""
        seen: dict[str, str] = {}
        while True:
            transport = self._transport_to(seen=frozenset(seen))
            if transport is None:
                break
            key = transport.get_remote_server_key()
            if self._rule.accepts(key):
                return transport
            transport.close()
            seen[key.get_name()] = key.fingerprint
            if not self._rule.fingerprints:
                break
        raise self._refused(seen)

    def _transport_to(self, *, seen: frozenset[str]) -> paramiko.Transport | None:
        address = (self._settings.host, self._settings.port)
        patience = self._settings.timeout_seconds
        transport = paramiko.Transport(socket.create_connection(address, timeout=patience))
        options = transport.get_security_options()
        old = old_ones(options)
        try:
            choose(options, self._settings.extra_algorithms)
        except SettingsError:
            transport.close()
            raise
        wanted = [name for name in self._rule.algorithms(options.key_types) if family(name) not in seen]
        # A server without any of the pinned kinds of key must be asked for what it has, to name it in the
        # message.
        wanted = wanted or ([] if seen else list(options.key_types))
        if not wanted:
            transport.close()
            return None
        options.key_types = wanted
        transport.banner_timeout = transport.auth_timeout = patience
        try:
            transport.start_client(timeout=patience)
        except paramiko.ssh_exception.IncompatiblePeer as error:
            transport.close()
            if seen:
                return None
            raise LoginError(
                f"No connection to {self._settings.host} port {self._settings.port}: {error}. If the server "
                f"cannot be brought up to date, name what it needs in extra_algorithms ({old})."
            ) from None
        except paramiko.SSHException:
            transport.close()
            raise
        return transport

    def _refused(self, seen: dict[str, str]) -> LoginError:
        keys = " or ".join(f"{fingerprint} ({kind})" for kind, fingerprint in seen.items())
        where = f"{self._settings.host} port {self._settings.port}"
        pin = next(iter(seen.values()), "")
        known = bool(self._rule.fingerprints or self._rule.keys)
        what = "which is not the pinned one" if known else "and none is pinned"
        return LoginError(
            f"Host key refused: {where} shows {keys}, {what}. Nothing was sent. If the server's owner "
            "confirms this key "
            f'by another way, set host_key to "{pin}".'
        )

    def _log_in(self, transport: paramiko.Transport) -> None:
        settings = self._settings
        try:
            missing = [] if self._key is None else transport.auth_publickey(settings.username, self._key)
            if settings.password and (self._key is None or missing):
                missing = transport.auth_password(settings.username, settings.password)
        except paramiko.AuthenticationException as error:
            if "timeout" in str(error).lower():
                # A server that does not answer in time has said nothing about the password.
                raise paramiko.SSHException(str(error)) from error
            names = [
                name
                for name, used in (("private_key", self._key), ("password", settings.password))
                if used is not None and used
            ]
            raise LoginError(
                f"Login refused: {settings.host} does not accept user {settings.username!r} with the "
                f"{' and '.join(names)} given. Check username and {' and '.join(names)}."
            ) from None
        if missing:
            raise LoginError(
                f"Login refused: {settings.host} wants more than one proof of user {settings.username!r} "
                f"({', '.join(missing)}). Set both private_key and password."
            )


def load_key(text: str, passphrase: str | None) -> paramiko.PKey:
    """Read a private key.

    Raises:
        SettingsError: It is none, of another kind, or the passphrase does not open it.
    """
    if not text.endswith("\n"):
        text += "\n"
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        with contextlib.suppress(paramiko.SSHException, ValueError, IndexError):
            try:
                return kind.from_private_key(io.StringIO(text), password=passphrase)
            except paramiko.PasswordRequiredException:
                raise SettingsError("The private key is encrypted: set private_key_passphrase.") from None
    secret = "ENCRYPTED" in text or passphrase
    raise SettingsError(
        "The private key cannot be read. It must be the PEM text of an Ed25519, ECDSA or RSA key"
        + (", and private_key_passphrase must open it." if secret else " (private_key or private_key_path).")
    )


__all__ = ["HostKeyRule", "Session", "load_key"]
