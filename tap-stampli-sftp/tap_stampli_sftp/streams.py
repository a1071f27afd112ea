"""The Singer streams: schema, keys, selection. The reading is done file by file in ``run``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk import Stream, metrics
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import SameRecordTransform

from tap_stampli_sftp.messages import MessageWriter
from tap_stampli_sftp.schemas import KEYS, schema

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import Context

    from tap_stampli_sftp.fields import StreamName
    from tap_stampli_sftp.tap import TapStampliSFTP


class StampliStream(Stream):
    """One of the six streams.

    Args:
        tap: The tap.
        name: The stream's name.
    """

    # Records are made in the shape of the schema; conforming them again would cost more than reading them.
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    def __init__(self, tap: TapStampliSFTP, name: StreamName) -> None:
        super().__init__(tap=tap, schema=schema(name), name=str(name))
        self.kind = name
        self.primary_keys = list(KEYS[name])
        self._stampli_tap = tap
        self._plain: bool | None = None
        self.counter = metrics.record_counter(self.name)

    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:  # noqa: ARG002 - the SDK's signature
        """Records of one file of each stream concerned: what ``--test`` looks at."""
        return self._stampli_tap.sample(self.kind)

    def send(self, record: dict[str, Any]) -> None:
        """Write one record, through stream maps and property selection where there are any."""
        if self._plain is None:
            self._plain = self._is_plain()
        if self._plain:
            MessageWriter.write_record(self.name, record)
        else:
            self._write_record_message(record)
        self.counter.increment()

    def send_schema(self) -> None:
        """Write the SCHEMA message."""
        self._write_schema_message()

    def _is_plain(self) -> bool:
        maps = self.stream_maps
        return (
            all(self.mask.values())
            and len(maps) == 1
            and type(maps[0]) is SameRecordTransform
            and not maps[0].flattening_enabled
        )
