"""Writing Singer messages: the SDK's fast encoder, flushed with each STATE instead of each record."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from singer_sdk.contrib.msgspec import MsgSpecWriter, serialize_jsonl
from singer_sdk.singerlib import RecordMessage

if TYPE_CHECKING:
    from singer_sdk.singerlib import Message


class MessageWriter(MsgSpecWriter):
    """Writes messages to stdout. Amounts are written digit by digit from ``Decimal``."""

    def write_message(self, message: Message) -> None:
        """Write one message; all but records are flushed at once."""
        if isinstance(message, RecordMessage):
            sys.stdout.buffer.write(self.format_message(message))
        else:
            super().write_message(message)

    @staticmethod
    def write_record(stream: str, record: dict[str, Any]) -> None:
        """Write a record without the SDK's message object around it."""
        sys.stdout.buffer.write(serialize_jsonl({"type": "RECORD", "stream": stream, "record": record}))

    @staticmethod
    def write_state(value: dict[str, Any]) -> None:
        """Write a STATE; everything before it is out when this returns."""
        sys.stdout.buffer.write(serialize_jsonl({"type": "STATE", "value": value}))
        sys.stdout.flush()
