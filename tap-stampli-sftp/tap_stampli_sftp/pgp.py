"""PGP-encrypted files, opened by GnuPG's ``gpg`` with a home directory of its own for each run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory
from typing import TYPE_CHECKING, Self

from tap_stampli_sftp.errors import FileRefused, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_stampli_sftp.limits import Limits

_TIMEOUT_SECONDS = 3600
_VALID_SIGNATURE = re.compile(r"^\[GNUPG:\] VALIDSIG ([0-9A-F]{40})(?: \S+){8} ([0-9A-F]{40})", re.MULTILINE)
_BAD_SIGNATURE = re.compile(r"^\[GNUPG:\] (?:BADSIG|ERRSIG|EXPSIG|EXPKEYSIG|REVKEYSIG) ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class PgpKeys:
    """The settings ``pgp_*``.

    Args:
        private_key: Armored private key, with the signers' public keys behind it; empty: there is none.
        passphrase: Opens the private key.
        signers: Fingerprints, of which a good signature must come from one; empty: signatures do not count.
    """

    private_key: str = field(default="", repr=False)
    passphrase: str = field(default="", repr=False)
    signers: frozenset[str] = frozenset()


class Decryption:
    """Decrypts files; gpg is started and the key imported when the first encrypted file is met."""

    def __init__(self, keys: PgpKeys) -> None:
        self._keys = keys
        self._stack = ExitStack()
        self._home: Path | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @contextmanager
    def decrypted(self, source: Path, *, spool: Path, limits: Limits) -> Iterator[Path]:
        """Decrypt a file into the spool; the plain copy is deleted on leaving.

        Raises:
            FileRefused: It cannot be decrypted, is not signed as wanted, or gives more than the bounds.
            SettingsError: gpg is missing, or the key is none.
        """
        with NamedTemporaryFile(dir=spool, prefix="stampli-plain-") as target:
            packed_size = source.stat().st_size
            allowed = limits.unpacked(packed_size)
            done = self._gpg(
                "--max-output", str(allowed), "--yes", "--output", target.name, "--decrypt", str(source)
            )
            status = done.stdout.decode("utf-8", "replace")
            if (
                "exceeded" in done.stderr.decode("utf-8", "replace")
                or Path(target.name).stat().st_size > allowed
            ):
                raise limits.exceeded(packed_size)
            if "[GNUPG:] DECRYPTION_OKAY" not in status:
                raise FileRefused(
                    f"it cannot be decrypted with pgp_private_key ({_why(status, done.stderr)})"
                )
            self._check_signature(status)
            yield Path(target.name)

    def _check_signature(self, status: str) -> None:
        if not self._keys.signers:
            return
        good = {print_ for match in _VALID_SIGNATURE.finditer(status) for print_ in match.groups()}
        if _BAD_SIGNATURE.search(status) or not good & self._keys.signers:
            seen = f"by {', '.join(sorted(good))}" if good else "by nobody whose key is known"
            raise FileRefused(
                f"it is validly signed {seen}, not by pgp_signer_fingerprint; the signer's public key "
                "belongs into pgp_private_key, behind the private one"
            )

    def _gpg(self, *arguments: str, stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
        home = self._home or self._new_home()
        return _run(
            home, *arguments, stdin=self._keys.passphrase.encode() + b"\n" if stdin is None else stdin
        )

    def _new_home(self) -> Path:
        if not self._keys.private_key:
            raise FileRefused("it is PGP-encrypted; set pgp_private_key or pgp_private_key_path")
        if shutil.which("gpg") is None:
            raise SettingsError(
                "pgp_private_key is set but gpg is not installed; install GnuPG "
                "(on Debian: apt install gnupg)."
            )
        # Not in the spool: the path of the agent's socket must stay short.
        home = Path(
            self._stack.enter_context(TemporaryDirectory(prefix="tap-gpg-", ignore_cleanup_errors=True))
        )
        self._stack.callback(_stop_agent, home)
        done = _run(home, "--import", stdin=self._keys.private_key.encode())
        if (
            b"[GNUPG:] IMPORT_OK 17 " not in done.stdout
            and b"sec" not in _run(home, "--list-secret-keys").stdout
        ):
            raise SettingsError("Setting pgp_private_key holds no PGP private key that gpg can import.")
        self._home = home
        return home


def _run(home: Path, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    importing = "--import" in arguments
    secret = [] if importing else ["--pinentry-mode", "loopback", "--passphrase-fd", "0"]
    command = [
        "gpg",
        "--homedir",
        str(home),
        "--batch",
        "--no-tty",
        "--no-auto-key-locate",
        "--status-fd",
        "1",
    ]
    return subprocess.run(  # noqa: S603  # fixed arguments; file names are the spool's own
        [*command, *secret, *arguments],
        input=stdin,
        capture_output=True,
        check=False,
        timeout=_TIMEOUT_SECONDS,
        env={**os.environ, "LC_ALL": "C"},  # its messages are looked into
    )


def _stop_agent(home: Path) -> None:
    if gpgconf := shutil.which("gpgconf"):
        subprocess.run(  # noqa: S603  # as above
            [gpgconf, "--homedir", str(home), "--kill", "all"], capture_output=True, check=False
        )


def _why(status: str, stderr: bytes) -> str:
    text = stderr.decode("utf-8", "replace")
    if "Bad passphrase" in text:
        return "pgp_passphrase does not open the key"
    reasons = {
        "MISSING_PASSPHRASE": "the key needs pgp_passphrase",
        "NO_SECKEY": "it is encrypted for another key",
        "NODATA": "it is no PGP data, or cut off",
    }
    for code, reason in reasons.items():
        if f"[GNUPG:] {code}" in status:
            return reason
    lines = text.strip().splitlines()
    return lines[-1].removeprefix("gpg: ") if lines else "gpg gave no reason"
