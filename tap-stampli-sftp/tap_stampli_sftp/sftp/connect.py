"""One connection to the server: opened with a checked host key, opened again when it drops."""

from __future__ import annotations

import asyncio
import logging
import warnings
from typing import TYPE_CHECKING, Self, TypeVar

import asyncssh
from cryptography.utils import CryptographyDeprecationWarning
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential, wait_random

from tap_stampli_sftp.errors import ConnectionLost, LoginError, SettingsError
from tap_stampli_sftp.sftp.algorithms import algorithms
from tap_stampli_sftp.sftp.background import Background
from tap_stampli_sftp.sftp.host_keys import family, load_rule

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from tap_stampli_sftp.settings import Settings
    from tap_stampli_sftp.sftp.host_keys import HostKeyRule

ATTEMPTS = 5
FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 20.0
# So many keepalives in a row without an answer, and the connection counts as lost.
SILENT_KEEPALIVES = 3

T = TypeVar("T")
# What the SFTP layer raises when the connection is gone or talks nonsense; any other status is an answer.
_GONE = (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection, asyncssh.SFTPBadMessage)


class _Dropped(Exception):  # noqa: N818  # named for what happened
    """The connection is gone; connecting again may help."""


class Remote:
    """The server, for as long as it answers: when it is silent for too long the connection is cut.

    Cut and not cancelled: whoever waits for an answer then learns that there is no connection any more.

    Args:
        connection: Logged in.
        client: Its SFTP session.
        patience: Seconds.
    """

    def __init__(
        self, connection: asyncssh.SSHClientConnection, client: asyncssh.SFTPClient, patience: float
    ) -> None:
        self.client = client
        self.silent = False
        self._connection = connection
        self._patience = patience
        self._watch: asyncio.TimerHandle | None = None

    def answered(self) -> None:
        """The server has given something: wait for the next as long again."""
        self.rest()
        self._watch = asyncio.get_running_loop().call_later(self._patience, self._cut)

    def rest(self) -> None:
        """Nothing is asked for the moment."""
        if self._watch is not None:
            self._watch.cancel()

    def _cut(self) -> None:
        self.silent = True
        self._connection.abort()


class _Client(asyncssh.SSHClient):
    """Decides about the server's key before anything is sent to it.

    Args:
        rule: The pinned keys.
    """

    def __init__(self, rule: HostKeyRule) -> None:
        self._rule = rule
        self.refused: asyncssh.SSHKey | None = None

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        """Whether the key is accepted; a refused one is kept for the message."""
        del host, addr, port
        if self._rule.accepts(key):
            return True
        self.refused = key
        return False


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
        # What happened is in our own messages; asyncssh would log every step of every connection.
        logging.getLogger("asyncssh").setLevel(logging.CRITICAL + 1)
        # It is the server that chose such an algorithm, and asyncssh that calls it.
        warnings.filterwarnings("ignore", category=CryptographyDeprecationWarning, module="asyncssh")
        self._settings = settings
        self._logger = logger
        self._first_wait = first_wait_seconds
        self._algorithms = algorithms(settings.extra_algorithms)
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
        self._background = Background()
        self._connection: asyncssh.SSHClientConnection | None = None
        self._remote: Remote | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            self._background.run(self._hang_up())
        self._background.close()

    def run(self, action: Callable[[Remote], Awaitable[T]], *, doing: str) -> T:
        """Do something with the server; when the connection drops, connect again and do all of it again.

        Args:
            action: Gets the server and tells it of each answer; must be repeatable.
            doing: What it does, for the messages: ``listing /outbound``.

        Raises:
            LoginError: The server refused us, or its host key is not the pinned one.
            ConnectionLost: The last of several tries failed as well.
            asyncssh.SFTPError: The server's answer is an error; the connection is well.
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
            result: T = tries(lambda: self._background.run(self._once(action)))
        except _Dropped as error:
            where = f"{self._settings.host} port {self._settings.port}"
            raise ConnectionLost(
                f"{doing}: {error}, {ATTEMPTS} times in a row ({where}). Check host, port and the "
                "network, and with an old server extra_algorithms; the next run goes on where this one "
                "stopped."
            ) from None
        return result

    async def _once(self, action: Callable[[Remote], Awaitable[T]]) -> T:
        remote = self._remote or await self._opened()
        remote.answered()
        try:
            return await action(remote)
        except asyncssh.Error as error:
            # A status such as "no such file" is an answer of a living connection, and the caller's business.
            if isinstance(error, asyncssh.SFTPError) and not isinstance(error, _GONE):
                raise
            why = f"no answer for {self._settings.timeout_seconds} s" if remote.silent else _why(error)
            await self._hang_up()
            raise _Dropped(f"the connection was lost ({why})") from error
        finally:
            remote.rest()

    async def _hang_up(self) -> None:
        connection, self._connection, self._remote = self._connection, None, None
        if connection is not None:
            # Not close: a server that is gone does not answer a farewell.
            connection.abort()
            await connection.wait_closed()

    async def _opened(self) -> Remote:
        patience = self._settings.timeout_seconds
        try:
            self._connection = await self.connected()
            async with asyncio.timeout(patience):
                client = await self._connection.start_sftp_client()
        except (asyncssh.Error, OSError) as error:
            await self._hang_up()
            raise _Dropped(f"no connection ({_why(error)})") from error
        self._remote = Remote(self._connection, client, patience)
        return self._remote

    async def connected(self) -> asyncssh.SSHClientConnection:
        """Connect and log in; a fingerprint tells no kind of key, so ask for each until a pinned one shows.

        Raises:
            LoginError: The server is not the pinned one, or refuses us.
            asyncssh.Error: There is no connection.
        """
        offered = self._rule.algorithms(self._algorithms.keys)
        # Behind those that may be pinned all others: the message names the key that the server has.
        offered += [name for name in self._algorithms.keys if name not in offered]
        seen: dict[str, str] = {}
        while True:
            client = _Client(self._rule)
            kinds = sorted(offered, key=lambda name: family(name) in seen)
            try:
                return await self._connect(client, kinds)
            except asyncssh.HostKeyNotVerifiable:
                if client.refused is None:
                    raise
            except asyncssh.KeyExchangeFailed as error:
                raise self._no_algorithm(error) from None
            except asyncssh.PermissionDenied as error:
                raise self._not_let_in(error) from None
            kind = client.refused.get_algorithm()
            known = kind in seen
            seen[kind] = client.refused.get_fingerprint()
            if known or not self._rule.fingerprints:
                raise self._refused(seen)

    async def _connect(self, client: _Client, kinds: Sequence[str]) -> asyncssh.SSHClientConnection:
        settings, wanted = self._settings, self._algorithms
        # Nothing of the user's own OpenSSH settings, keys or agent: what the tap does is in its settings.
        return await asyncssh.connect(
            settings.host,
            settings.port,
            config=None,
            client_factory=lambda: client,
            # Empty, not None: each key is then asked about at the client.
            known_hosts=([], [], []),
            server_host_key_algs=list(kinds),
            kex_algs=list(wanted.kex),
            encryption_algs=list(wanted.ciphers),
            mac_algs=list(wanted.macs),
            signature_algs=list(wanted.keys),
            compression_algs=["none"],
            username=settings.username,
            password=settings.password or None,
            client_keys=[self._key] if self._key else None,
            preferred_auth="publickey,password,keyboard-interactive",
            agent_path=None,
            gss_host=None,
            connect_timeout=settings.timeout_seconds,
            keepalive_interval=settings.keepalive_seconds,
            keepalive_count_max=SILENT_KEEPALIVES,
        )

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

    def _no_algorithm(self, error: asyncssh.KeyExchangeFailed) -> LoginError:
        return LoginError(
            f"No connection to {self._settings.host} port {self._settings.port}: {error.reason}. If the "
            "server cannot be brought up to date, name one of those received in extra_algorithms."
        )

    def _not_let_in(self, error: asyncssh.PermissionDenied) -> LoginError:
        settings = self._settings
        names = [name for name, used in (("private_key", self._key), ("password", settings.password)) if used]
        both = "" if len(names) > 1 else " Some servers want both private_key and password."
        return LoginError(
            f"Login refused: {settings.host} does not accept user {settings.username!r} with the "
            f"{' and '.join(names)} given ({error.reason}). Check username and {' and '.join(names)}.{both}"
        )


def _why(error: BaseException) -> str:
    return str(error) or type(error).__name__


def load_key(text: str, passphrase: str | None) -> asyncssh.SSHKey:
    """Read a private key.

    Raises:
        SettingsError: It is none, of another kind, or the passphrase does not open it.
    """
    try:
        return asyncssh.import_private_key(text if text.endswith("\n") else f"{text}\n", passphrase)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError, ValueError) as error:
        secret = "ENCRYPTED" in text or passphrase or "assphrase" in str(error)
    raise SettingsError(
        "The private key cannot be read. It must be the PEM text of an Ed25519, ECDSA or RSA key"
        + (", and private_key_passphrase must open it." if secret else " (private_key or private_key_path).")
    )
