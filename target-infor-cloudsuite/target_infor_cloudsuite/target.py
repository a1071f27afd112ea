"""The Singer target: sinks fill the ledger, and when the input has ended the ledger is worked off."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import Target
from singer_sdk.helpers.capabilities import PluginCapabilities
from stampli_infor_transforms.crosswalks import CrosswalkError, Crosswalks
from stampli_infor_transforms.policy import SettingsError

from target_infor_cloudsuite.audit import files as audit_files
from target_infor_cloudsuite.audit.files import AuditError
from target_infor_cloudsuite.audit.runs import write_run
from target_infor_cloudsuite.clock import Clock
from target_infor_cloudsuite.ion.errors import IonError
from target_infor_cloudsuite.ledger import Ledger, LedgerError, events, reference, runs
from target_infor_cloudsuite.ledger.documents import Hand
from target_infor_cloudsuite.ledger.states import TROUBLE, Status
from target_infor_cloudsuite.posting.dry_run import DryRun
from target_infor_cloudsuite.posting.intake import ACCEPTED_STREAMS
from target_infor_cloudsuite.posting.run import work_off
from target_infor_cloudsuite.settings import CONFIG_JSONSCHEMA, read_settings
from target_infor_cloudsuite.setup import SetupError, company_numbers, new_run_id, open_gateway, prepare
from target_infor_cloudsuite.sinks import LedgerSink

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NoReturn

    from singer_sdk.helpers.capabilities import CapabilitiesEnum

    from target_infor_cloudsuite.ion.gateway import Gateway
    from target_infor_cloudsuite.posting.context import Context

#: What ends a run with one clear line instead of a traceback: somebody outside has to mend something.
_EXPECTED = (SettingsError, CrosswalkError, IonError, LedgerError, SetupError, AuditError)
_FAILED, _NEEDS_A_PERSON = 1, 3


class TargetInforCloudSuite(Target):
    """Posts Stampli's invoices and payments into Infor CloudSuite (M3), exactly once."""

    name = "target-infor-cloudsuite"
    config_jsonschema = CONFIG_JSONSCHEMA
    default_sink_class = LedgerSink
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_parallelism = 1  # one ledger, one writer: threads would only wait for each other
        self._clock = Clock()
        self._began = self._clock.now()
        self._run_id = new_run_id()
        try:
            self.settings = read_settings(self.config)
            # What is wrong with these is told before the first record is read.
            company_numbers(self.settings, Crosswalks.load(self.settings.crosswalk_dir))
            self.gateway: Gateway = open_gateway(self.settings)
            self.ledger = Ledger(self.settings.ledger_url)
            self.ledger.open()
            with self.ledger.read() as tx:
                self._ledger_was_empty = not reference.knows_any_file(tx)
        except _EXPECTED as fault:
            _stop(self.logger, fault)
        self.dry_run = DryRun() if self.settings["dry_run"] else None

    @property
    def hand(self) -> Hand:
        """The intake of this run as the one that changes something now."""
        return Hand(actor="target", at=self._clock.now(), run_id=self._run_id)

    def get_sink_class(self, stream_name: str) -> type[LedgerSink]:
        """The ledger's sink for the streams this target knows; any other is refused by name."""
        if stream_name not in ACCEPTED_STREAMS:
            known = ", ".join(each for each in ACCEPTED_STREAMS if each != "meltano_test_stream")
            _stop(
                self.logger,
                SettingsError(
                    "streams",
                    f"holds '{stream_name}', which this target does not take. It takes {known}. "
                    "Deselect the stream in the tap, or map it with stream_maps. Nothing was posted.",
                ),
            )
        return LedgerSink

    def process_endofpipe(self) -> None:
        """Drain the sinks, work off the ledger, write the audit, and end with the exit code the run deserves."""
        try:
            super().process_endofpipe()
            outcome = self._post()
        except _EXPECTED as fault:
            _stop(self.logger, fault)
        except OSError as fault:
            _stop(self.logger, AuditError(f"{fault}. What was done is in the ledger; the next run goes on."))
        finally:
            self.gateway.close()
        if outcome:
            sys.exit(outcome)

    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        self._refuse_state_of_another_ledger(message_dict.get("value") or {})
        super()._process_state_message(message_dict)

    def _refuse_state_of_another_ledger(self, state: Mapping[str, Any]) -> None:
        """A lost ledger must not look like a new one: STATE that knows files it never saw stops the run."""
        if not self._ledger_was_empty or self.dry_run is not None:
            return
        known = {
            path
            for bookmark in (state.get("bookmarks") or {}).values()
            if isinstance(bookmark, dict)
            for path in (bookmark.get("files") or ())
        }
        if not known:
            return
        # The files of this very run may still wait in the sinks.
        for sink in [*self._sinks_to_clear, *self._sinks_active.values()]:
            self.drain_one(sink)
        with self.ledger.read() as tx:
            unknown = reference.unknown_files(tx, known)
        if unknown:
            _stop(
                self.logger,
                LedgerError(
                    f"The state knows files that the ledger {self.ledger.shown_url} has never seen ({unknown[0]}"
                    f"{f' and {len(unknown) - 1} more' if len(unknown) > 1 else ''}): this is not the ledger it "
                    "belongs to. Restore the ledger or correct ledger_url; or, to read every file again into a new "
                    "ledger, clear the state (`meltano state clear`). Nothing was posted."
                ),
            )

    def _write_state_message(self, state: dict[str, Any]) -> None:
        if self.dry_run is None:
            super()._write_state_message(state)

    def _post(self) -> int:
        context = prepare(
            self.settings, self.ledger, self.gateway, run_id=self._run_id, clock=self._clock
        )
        if self.dry_run is not None:
            self.dry_run.show(context, self.settings.output_dir)
            return 0
        with self.ledger.write() as tx:
            runs.begin(tx, context.run_id, worker=context.worker_name, at=self._began)
            context.event(tx, "run.began", {"version": self.plugin_version})
        outcome = "ended"
        try:
            work_off(context)
        except Exception as fault:
            outcome = f"stopped: {type(fault).__name__}"
            raise
        finally:
            self._finish(context, outcome)
        return self._exit_code()

    def _finish(self, context: Context, outcome: str) -> None:
        with self.ledger.write() as tx:
            runs.end(
                tx,
                context.run_id,
                at=self._clock.now(),
                outcome=outcome,
                requests=self.gateway.requests_sent,
                throttled=self.gateway.throttled,
            )
            events.record(
                tx,
                "run.ended",
                at=self._clock.now(),
                actor=context.hand.actor,
                run_id=context.run_id,
                details={"outcome": outcome, "requests": self.gateway.requests_sent},
            )
        write_run(self.ledger, self.settings.output_dir, context.run_id)
        audit_files.export(self.ledger, self.settings.output_dir)
        with self.ledger.read() as tx:
            totals = runs.totals(tx, run_id=context.run_id)
        for kind, statuses in totals.items():
            shown = ", ".join(f"{status} {entry['count']}" for status, entry in sorted(statuses.items()))
            self.logger.info("This run, %ss: %s.", kind, shown or "none")
        self.logger.info("Requests sent: %d, throttled: %d.", self.gateway.requests_sent, self.gateway.throttled)

    def _exit_code(self) -> int:
        wanted = self.settings["fail_on"]
        if wanted == "never":
            return 0
        trouble = TROUBLE | {Status.REVIEW} if wanted == "review" else TROUBLE
        with self.ledger.read() as tx:
            totals = runs.totals(tx, run_id=self._run_id)
        left = {
            f"{kind} {status}": entry["count"]
            for kind, statuses in totals.items()
            for status, entry in statuses.items()
            if status in trouble
        }
        if not left:
            return 0
        self.logger.error(
            "This run left something for a person (%s): see `cloudsuite-ap review list` and `cloudsuite-ap status`.",
            ", ".join(f"{count} {what}" for what, count in sorted(left.items())),
        )
        return _NEEDS_A_PERSON


def _stop(logger: logging.Logger, fault: Exception) -> NoReturn:
    """End with one clear line."""
    logger.error("%s", fault)
    sys.exit(_FAILED)
