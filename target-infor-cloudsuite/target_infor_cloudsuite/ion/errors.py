"""What can go wrong on the way to M3, sorted by what the caller can do about it.

    IonError
    ├── CredentialsError    the .ionapi is unusable: a person mends the configuration
    ├── TokenRefused        the authorization server or the gateway refuses us: stop the run
    ├── GatewayRefused      403, 404 or M3 refuses a program: stop, a person grants a right
    └── GatewayUnavailable  reads were repeated and still fail: stop, a later run continues

A business error of M3 (NOK) is no exception: it is an `Answer`.  Neither is a write of unknown fate.
"""

from __future__ import annotations


class IonError(Exception):
    """Anything that keeps us from talking to M3.

    Args:
        message: what happened and where; free of secrets.
        what_to_do: one sentence for the person who reads the log.
    """

    def __init__(self, message: str, *, what_to_do: str) -> None:
        super().__init__(message)
        self.what_to_do = what_to_do

    def __str__(self) -> str:
        return f"{self.args[0]}. {self.what_to_do}"


class CredentialsError(IonError):
    """The .ionapi file or text cannot be used."""


class TokenRefused(IonError):  # noqa: N818 - says what happened, as httpx does
    """No token is given, or a fresh token is refused."""


class GatewayRefused(IonError):  # noqa: N818 - says what happened, as httpx does
    """The gateway or M3 refuses the program for this service account, or does not know the path."""


class GatewayUnavailable(IonError):  # noqa: N818 - says what happened, as httpx does
    """The gateway, M3 or the authorization server did not answer usefully, though asked repeatedly."""
