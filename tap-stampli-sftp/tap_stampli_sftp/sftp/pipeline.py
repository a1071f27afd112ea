"""Reading a remote file with many requests under way.

paramiko's own prefetch sends from a second thread that sleeps whenever enough is under way; on a fast link
that is forty times slower than OpenSSH's client. Here one thread sends and receives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from paramiko.sftp import CMD_DATA, CMD_READ, CMD_STATUS, SFTPError, int64

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import paramiko

# A server that gives less at a time is asked for the rest.
REQUEST_BYTES = 255 * 1024
# 4 MB under way fill a link of 100 Mbit/s at 300 ms.
IN_FLIGHT = 16


class _Answers:
    """Collects the answers to requests; paramiko hands each of them to the object that asked."""

    def __init__(self, client: paramiko.SFTPClient) -> None:
        self.data: dict[int, bytes] = {}
        self._client = client

    def _async_response(self, kind: int, message: paramiko.Message, number: int) -> None:
        if kind == CMD_DATA:
            self.data[number] = message.get_string()
        elif kind == CMD_STATUS:
            try:
                self._client._convert_status(message)  # type: ignore[attr-defined]  # noqa: SLF001  # as below
            except EOFError:
                self.data[number] = b""
        else:
            raise SFTPError("Expected data")


def read_all(client: paramiko.SFTPClient, file: paramiko.SFTPFile, *, size: int) -> Iterator[bytes]:
    """The file's bytes in order, up to ``size``; fewer when it ends before.

    Args:
        client: The connection; nothing else may use it meanwhile.
        file: Open for reading.
        size: How many bytes are asked for.

    Raises:
        OSError: The server refuses a request.
    """
    # The requests and their answers are paramiko's, but there is no public way to have several under way.
    request, receive = client._async_request, client._read_response  # type: ignore[attr-defined]  # noqa: SLF001
    answers = _Answers(client)
    under_way: dict[int, tuple[int, int]] = {}
    came: dict[int, tuple[int, bytes]] = {}
    asked = given = 0
    while given < size:
        while asked < size and len(under_way) + len(came) < IN_FLIGHT:
            length = min(REQUEST_BYTES, size - asked)
            under_way[request(answers, CMD_READ, file.handle, int64(asked), length)] = (asked, length)
            asked += length
        receive()
        for number in list(answers.data):
            start, length = under_way.pop(number)
            came[start] = (length, answers.data.pop(number))
        while given in came:
            length, data = came.pop(given)
            if not data:
                _drain(receive, answers, under_way)
                return
            yield data
            if len(data) < length:
                # A server may give less than was asked for: ask for the rest.
                rest = (given + len(data), length - len(data))
                under_way[request(answers, CMD_READ, file.handle, int64(rest[0]), rest[1])] = rest
            given += len(data)


def _drain(receive: Callable[[], object], answers: _Answers, under_way: dict[int, tuple[int, int]]) -> None:
    """Take the answers that are still to come: the connection is used again."""
    while under_way:
        receive()
        for number in list(answers.data):
            under_way.pop(number, None)
            del answers.data[number]
