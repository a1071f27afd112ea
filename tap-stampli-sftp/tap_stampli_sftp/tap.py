"""The tap: the Singer side of a run."""

from __future__ import annotations

import gc
import logging
import os
import sys
from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import Tap, metrics
from singer_sdk.configuration._dict_config import parse_environment_config
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities
from singer_sdk.plugin_base import SingerCommand

from tap_stampli_sftp.confidential import no_core_files
from tap_stampli_sftp.errors import Interrupted, TapError
from tap_stampli_sftp.fields import FILE_STREAMS, StreamName
from tap_stampli_sftp.messages import MessageWriter
from tap_stampli_sftp.run import Run
from tap_stampli_sftp.settings import load_settings
from tap_stampli_sftp.settings_schema import SETTINGS_SCHEMA
from tap_stampli_sftp.sftp.fetch import NO_ROOM
from tap_stampli_sftp.streams import StampliStream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    import click
    from singer_sdk import Stream
    from singer_sdk.helpers.capabilities import CapabilitiesEnum

_NEW_OBJECTS = 100_000
# Text in these settings is read by this package: the SDK would split a known_hosts line at its commas.
_RAW_FROM_ENVIRONMENT = ("host_key", "extra_algorithms", "templates")


# At DEBUG the SDK shows whatever its expressions make of a record.
logging.getLogger("singer_sdk.mapper").setLevel(logging.INFO)


class _Command(SingerCommand):
    """The command line: errors meant for a person are shown without a traceback."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command; exit code 1 and one clear message on a known error."""
        no_core_files()
        try:
            return super().main(*args, **kwargs)
        except Interrupted as stop:
            self.logger.error("%s", stop)  # noqa: TRY400  # a person reads it: no traceback
            sys.exit(128 + stop.signum)
        except TapError as error:
            self.logger.error("%s", error)  # noqa: TRY400  # as above
            sys.exit(1)
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            self.logger.error(  # noqa: TRY400  # as above
                "No room to write (%s): free space, or set spool_dir to a larger disk; the next run goes on "
                "where this one stopped.",
                error.strerror,
            )
            sys.exit(1)
        except ConfigValidationError as error:
            for text in error.errors:
                self.logger.error("%s", text)  # noqa: TRY400  # as above
            sys.exit(1)


class TapStampliSFTP(Tap):
    """Reads Stampli's invoice, payment, vendor and GL account exports from an SFTP server."""

    name = "tap-stampli-sftp"
    config_jsonschema: ClassVar[dict[str, Any]] = SETTINGS_SCHEMA
    message_writer_class = MessageWriter
    # No BATCH and no ACTIVATE_VERSION: every run sends what is new, never a whole table.
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        TapCapabilities.CATALOG,
        TapCapabilities.STATE,
        TapCapabilities.DISCOVER,
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]
    _stop_signal = 0

    def discover_streams(self) -> list[Stream]:
        """All streams; no network is needed to know them."""
        return [StampliStream(self, name) for name in StreamName]

    @cached_property
    def _ordered(self) -> dict[str, Stream]:
        found = super().streams
        return {str(name): found[name] for name in StreamName}

    @property
    def streams(self) -> dict[str, Stream]:
        """The streams in the order of their messages, which is not the SDK's by name."""
        return self._ordered

    @classproperty
    def _env_var_config(cls) -> dict[str, Any]:  # noqa: N805  # the SDK's class property  # the SDK's own way of a class property
        cls.append_builtin_config(cls.config_jsonschema)
        properties = cls.config_jsonschema["properties"]
        parsed = {name: value for name, value in properties.items() if name not in _RAW_FROM_ENVIRONMENT}
        config = parse_environment_config({"properties": parsed}, cls._env_var_prefix)
        for name in _RAW_FROM_ENVIRONMENT:
            if value := os.environ.get(f"{cls._env_var_prefix}{name.upper()}"):
                config[name] = value
        return config

    @classmethod
    def get_singer_command(cls) -> click.Command:
        """The SDK's command line with this tap's way of showing errors."""
        command = super().get_singer_command()
        return _Command(
            name=command.name,
            callback=command.callback,
            context_settings=command.context_settings,
            params=command.params,
            help=command.help,
            logger=cls.logger,
        )

    def sync_all(self) -> None:  # type: ignore[misc]  # final in the SDK, whose unit of work is a stream; ours is a file
        """Read everything new and send it.

        Raises:
            TapError: The run could not be completed; what was completed is in the STATE sent before.
        """
        # What is loaded stays, and files and rows make no cycles: to look through all of it at every 700th
        # object is for nothing.
        gc.freeze()
        gc.set_threshold(_NEW_OBJECTS)
        settings = load_settings(self.config)
        selected = {name: stream for name, stream in self.streams.items() if stream.selected}
        for name, stream in self.streams.items():
            if name in selected:
                stream.send_schema()  # type: ignore[attr-defined]  # all streams are StampliStream
            else:
                self.logger.info("Stream %s is not selected.", name)
        run = Run(
            settings=settings,
            streams=[name for name in FILE_STREAMS if name in selected],
            state=self.state,  # type: ignore[arg-type]  # the SDK's state is a dict
            outlet=_Outlet(self, selected),
            logger=self.logger,
        )
        try:
            with ExitStack() as meters:
                meters.enter_context(metrics.Timer(metrics.Metric.SYNC_DURATION, {"tap": self.name}))
                for stream in selected.values():
                    meters.enter_context(stream.counter)  # type: ignore[attr-defined]  # as above
                failed = run.everything()
        finally:
            MessageWriter.write_state(self.state)  # type: ignore[arg-type]  # as above
        if failed:
            raise TapError(
                f"{failed} file(s) could not be read (see above); all others are done and in the STATE."
            )

    def sample(self, wanted: StreamName) -> Iterator[dict[str, Any]]:
        """Records of one stream from the newest files, for ``--test``; nothing is remembered."""
        streams = [wanted] if wanted in FILE_STREAMS else FILE_STREAMS
        run = Run(
            settings=load_settings(self.config),
            streams=streams,
            state={},
            outlet=_Outlet(self, {}),
            logger=self.logger,
        )
        return (record for stream, record in run.sample() if stream is wanted)

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Stop at the next safe point; a second signal stops at once."""
        del frame
        if self._stop_signal:
            os._exit(128 + signum)
        self._stop_signal = signum
        self.logger.warning("Told to stop (signal %d): stopping after the current record.", signum)

    def check_interrupted(self) -> None:
        """Raise Interrupted once a signal to stop has come."""
        if self._stop_signal:
            raise Interrupted(self._stop_signal)


class _Outlet:
    """Sends a run's records to the selected streams."""

    def __init__(self, tap: TapStampliSFTP, selected: dict[str, Stream]) -> None:
        self._tap = tap
        self._senders = {StreamName(name): stream.send for name, stream in selected.items()}  # type: ignore[attr-defined]
        self.check_interrupted = tap.check_interrupted

    def send(self, stream: StreamName, record: dict[str, Any]) -> None:
        if sender := self._senders.get(stream):
            sender(record)

    def send_state(self) -> None:
        MessageWriter.write_state(self._tap.state)  # type: ignore[arg-type]  # the SDK's state is a dict


if __name__ == "__main__":
    TapStampliSFTP.cli()
