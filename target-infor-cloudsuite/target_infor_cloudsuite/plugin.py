"""What target and mapper have in common as Singer programs: their command line, their input, their settings.

Whatever somebody outside has to mend ends with one clear line and exit code 1; anything else is a defect and
keeps its traceback.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING, Any

from singer_sdk.exceptions import ConfigValidationError, RecordsWithoutSchemaException
from singer_sdk.io_base import SingerReader
from singer_sdk.plugin_base import PluginBase, SingerCommand
from singer_sdk.singerlib.json import deserialize_json
from stampli_infor_transforms.crosswalks import CrosswalkError
from stampli_infor_transforms.policy import SettingsError

from target_infor_cloudsuite.audit.files import AuditError
from target_infor_cloudsuite.confidential import no_core_files
from target_infor_cloudsuite.ion.errors import IonError
from target_infor_cloudsuite.ledger import LedgerError
from target_infor_cloudsuite.tenant import SetupError

if TYPE_CHECKING:
    from types import FrameType

    import click

# At DEBUG the SDK shows whatever its expressions make of a record.
logging.getLogger("singer_sdk.mapper").setLevel(logging.INFO)
_FAILED = 1
_SIGNALLED = 128


class InputError(Exception):
    """What came on standard input, or as --config, cannot be read. Says where, never what stood there."""


class Stopped(BaseException):
    """Somebody told the process to stop: it unwinds as from a crash, for which everything here is made."""

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.signum = signum


#: What ends a run with one clear line: somebody outside has to mend something.
EXPECTED = (
    SettingsError,
    CrosswalkError,
    IonError,
    LedgerError,
    SetupError,
    AuditError,
    InputError,
    RecordsWithoutSchemaException,
)


def one_line(fault: BaseException) -> str:
    """A fault as one line, for a log or a terminal."""
    return " ".join(line.strip() for line in str(fault).splitlines() if line.strip())


class Command(SingerCommand):
    """The command line: one clear line instead of a traceback for what is no defect."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run; 1 for what somebody has to mend, 128 + the signal when told to stop."""
        no_core_files()
        try:
            return super().main(*args, **kwargs)
        except Stopped as stop:
            self.logger.warning(
                "Stopped by signal %d. What was finished is in the ledger; the next run goes on from there.",
                stop.signum,
            )
            sys.exit(_SIGNALLED + stop.signum)
        except EXPECTED as fault:
            self.logger.error("%s", one_line(fault))  # noqa: TRY400 - a person reads it; the traceback says nothing more
        except BrokenPipeError:
            self.logger.error("Nobody reads the output any more; the run ends.")  # noqa: TRY400 - as above
        sys.exit(_FAILED)


class Reader(SingerReader):
    """Reads messages; a line that is none ends the run without being repeated in the log."""

    def __init__(self) -> None:
        super().__init__()
        self._line = 0

    def deserialize_json(self, line: str) -> dict[str, Any]:
        """One line as a message; text that no database can hold loses those characters."""
        self._line += 1
        try:
            message: Any = deserialize_json(line)
        except (ValueError, RecursionError):
            what = (
                f"Line {self._line} of the input is no JSON: the tap, or a step before this one, is at fault."
            )
            if not line.endswith("\n"):
                what = f"The input ends in the middle of a message (line {self._line}): the tap was stopped."
            raise InputError(
                f"{what} Look at its log. Nothing was posted; the next run reads again."
            ) from None
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise InputError(f"Line {self._line} of the input is no Singer message. Nothing was posted.")
        # Escaped in the line, for only so can they stand in JSON: NUL and halves of surrogate pairs.
        escaped = "\\u0000" in line or "\\ud" in line.lower()
        found: dict[str, Any] = _cleaned(message) if escaped else message
        return found

    @staticmethod
    def assert_line_requires(line_dict: dict[str, Any], requires: set[str]) -> None:
        """A message has its parts.

        Raises:
            InputError: It has not.
        """
        if missing := sorted(requires - set(line_dict)):
            raise InputError(
                f"A {line_dict.get('type', 'message')} in the input lacks {', '.join(missing)}: the tap, or "
                "a step before this one, is at fault. Nothing was posted."
            )

    def _process_unknown_message(self, message_dict: dict[str, Any]) -> None:
        raise InputError(f"Line {self._line} of the input has the unknown type '{message_dict['type']}'.")


class Program(PluginBase):
    """A Singer program of this package."""

    _stop_signal = 0

    @classmethod
    def get_singer_command(cls) -> click.Command:
        """The SDK's command line with this package's way of showing errors."""
        command = super().get_singer_command()
        return Command(
            name=command.name,
            callback=command.callback,
            context_settings=command.context_settings,
            params=command.params,
            help=command.help,
            logger=cls.logger,
        )

    @classmethod
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> Any:
        """Read the settings' files.

        Raises:
            InputError: One cannot be read.
        """
        try:
            return super().cb_config(ctx, param, value)
        except (OSError, ValueError, TypeError) as fault:
            raise InputError(
                f"--config {' '.join(value)} cannot be read as a JSON object of settings ({fault})."
            ) from fault

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Leave to the SDK what is its own; it would repeat the value of a secret that has the wrong type."""
        self.check_settings()
        try:
            return super()._validate_config(raise_errors=raise_errors)
        except ConfigValidationError as fault:
            raise SettingsError(
                "stream_maps", f"(or another of the SDK's own) cannot be used: {'; '.join(fault.errors)}."
            ) from fault

    def check_settings(self) -> None:
        """Check the settings that are this program's own.

        Raises:
            SettingsError: One is missing or cannot be used.
        """
        raise NotImplementedError

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Unwind at once, as from a crash; a second signal does not even do that."""
        del frame
        if self._stop_signal:
            os._exit(_SIGNALLED + signum)
        self._stop_signal = signum
        raise Stopped(signum)


def _cleaned(value: Any) -> Any:
    if isinstance(value, dict):
        return {_cleaned(name): _cleaned(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    if isinstance(value, str):
        whole = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return whole.replace("\0", "\N{REPLACEMENT CHARACTER}")
    return value
