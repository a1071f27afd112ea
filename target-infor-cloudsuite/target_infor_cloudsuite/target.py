"""The Singer target: sinks fill the ledger, and when the input has ended the ledger is worked off."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import Target
from singer_sdk.helpers.capabilities import PluginCapabilities

from target_infor_cloudsuite import state_guard
from target_infor_cloudsuite.audit.files import AuditError
from target_infor_cloudsuite.audit.publish import publish
from target_infor_cloudsuite.audit.runs import write_run
from target_infor_cloudsuite.clock import Clock
from target_infor_cloudsuite.kept_reference import was_asked_lately
from target_infor_cloudsuite.ledger import Ledger, LedgerError, events, runs
from target_infor_cloudsuite.ledger.documents import Hand
from target_infor_cloudsuite.ledger.states import TROUBLE, Status
from target_infor_cloudsuite.mapping_control import in_force
from target_infor_cloudsuite.notification.send import notify
from target_infor_cloudsuite.plugin import EXPECTED, InputError, Program, Reader, Stopped, one_line
from target_infor_cloudsuite.posting.dry_run import DryRun
from target_infor_cloudsuite.posting.intake import ACCEPTED_STREAMS, REFERENCE_STREAMS
from target_infor_cloudsuite.posting.run import has_work, work_off
from target_infor_cloudsuite.report.write import NothingToReport, ReportError, renew_report
from target_infor_cloudsuite.settings import read_settings
from target_infor_cloudsuite.settings_schema import CONFIG_JSONSCHEMA
from target_infor_cloudsuite.setup import company_numbers, new_run_id, open_gateway, prepare
from target_infor_cloudsuite.sinks import LedgerSink
from target_infor_cloudsuite.worker import worker_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from singer_sdk.helpers.capabilities import CapabilitiesEnum

    from target_infor_cloudsuite.ion.gateway import Gateway
    from target_infor_cloudsuite.ledger import Tx
    from target_infor_cloudsuite.posting.context import Context

_NEEDS_A_PERSON = 3


class TargetInforCloudSuite(Program, Target):
    """Posts Stampli's invoices and payments into Infor CloudSuite (M3), exactly once."""

    name = "target-infor-cloudsuite"
    config_jsonschema = CONFIG_JSONSCHEMA
    default_sink_class = LedgerSink
    message_reader_class = Reader
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
        self._worker = worker_name()
        self.settings = read_settings(self.config)
        self.ledger = Ledger(self.settings.ledger_url, audit_keys=self.settings.audit_keys)
        self.ledger.open()
        # What is wrong with the crosswalks is told before the first record is read.
        chosen = in_force(self.settings, self.ledger, at=self._began)
        self._companies = company_numbers(self.settings, chosen.crosswalks)
        self.gateway: Gateway = open_gateway(self.settings, self.ledger)
        with self.ledger.read() as tx:
            self._on_guard = state_guard.is_on_guard(tx)
        self.dry_run = DryRun(self.ledger) if self.settings["dry_run"] else None

    def check_settings(self) -> None:
        """Check the settings before the SDK does, whose message would show a secret's value."""
        read_settings(self.config)

    @property
    def hand(self) -> Hand:
        """The intake of this run as the one that changes something now."""
        return Hand(actor="target", at=self._clock.now(), run_id=self._run_id)

    def taken_into(self, stream_name: str) -> list[Ledger]:
        """What takes a stream's records: in a dry run a copy of the ledger.

        Stampli's vendors and GL accounts are kept by a dry run as well: `reference align` begins with them.
        """
        if self.dry_run is None:
            return [self.ledger]
        return [self.dry_run.ledger, *([self.ledger] if stream_name in REFERENCE_STREAMS else [])]

    def get_sink_class(self, stream_name: str) -> type[LedgerSink]:
        """The ledger's sink for the streams this target knows; any other is refused by name."""
        if stream_name not in ACCEPTED_STREAMS:
            known = ", ".join(each for each in ACCEPTED_STREAMS if each != "meltano_test_stream")
            raise InputError(
                f"The stream '{stream_name}' is none that this target takes. It takes {known}. "
                "Deselect the stream in the tap, or rename it with stream_maps. Nothing was posted."
            )
        return LedgerSink

    def process_endofpipe(self) -> None:
        """Drain the sinks, work off the ledger, write the audit; end with the exit code the run deserves."""
        try:
            super().process_endofpipe()
            outcome = self._show(self.dry_run) if self.dry_run is not None else self._post()
        finally:
            self.gateway.close()
            self.ledger.close()
            if self.dry_run is not None:
                self.dry_run.close()
        if outcome:
            sys.exit(outcome)

    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        # What is no object cannot be a document; inside one it is rejected, with what came.
        if not isinstance(message_dict.get("record", {}), dict):
            message_dict = message_dict | {"record": {"not_an_object": message_dict["record"]}}
        super()._process_record_message(message_dict)

    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        self._refuse_state_of_another_ledger(message_dict.get("value") or {})
        super()._process_state_message(message_dict)

    def _refuse_state_of_another_ledger(self, state: Mapping[str, Any]) -> None:
        """A lost ledger must not look like a new one: STATE that knows files it never saw stops the run."""
        passed = state_guard.passed_files(state) if self._on_guard and self.dry_run is None else None
        if not passed:
            return
        # The files of this very run may still wait in the sinks.
        for sink in [*self._sinks_to_clear, *self._sinks_active.values()]:
            self.drain_one(sink)
        with self.ledger.write() as tx:
            unknown = state_guard.unknown_files(tx, passed)
            state_guard.note(tx, unknown, hand=self.hand)
        counted = any(sink.stream_name == "source_files" for sink in self._sinks_active.values())
        # A file without documents leaves no other trace than its count.
        hint = "" if counted else " Select the stream source_files: without it such a file stays unknown."
        if unknown:
            raise LedgerError(
                f"The state knows files that the ledger {self.ledger.shown_url} has never seen ({unknown[0]}"
                f"{f' and {len(unknown) - 1} more' if len(unknown) > 1 else ''}): this is not the ledger it "
                "belongs to. Restore the ledger or correct ledger_url; or, to read every file again into a "
                f"new ledger, clear the state (`meltano state clear`). Nothing was posted.{hint}"
            )

    def _write_state_message(self, state: dict[str, Any]) -> None:
        if self.dry_run is None:
            super()._write_state_message(state)

    def _prepare(self, ledger: Ledger) -> Context:
        return prepare(
            self.settings,
            ledger,
            self.gateway,
            run_id=self._run_id,
            worker=self._worker,
            clock=self._clock,
        )

    def _show(self, dry_run: DryRun) -> int:
        try:
            dry_run.show(self._prepare(dry_run.ledger), self.settings.output_dir)
        except OSError as fault:
            why = fault.strerror or fault
            raise AuditError(
                f"What a dry run found cannot be written to {self.settings.output_dir}: {why}. "
                "Check output_dir, and the right and the room to write there."
            ) from fault
        return 0

    def _post(self) -> int:
        with self.ledger.write() as tx:
            runs.begin(tx, self._run_id, worker=self._worker, at=self._began)
            self._event(tx, "run.began", {"version": self.plugin_version})
        try:
            with self.ledger.read() as tx:
                lately = was_asked_lately(self.settings, tx, self._companies, now=self._clock.now())
                idle = lately and not has_work(tx)
            if not idle:
                work_off(self._prepare(self.ledger))
        except BaseException as fault:
            self._finish_after(fault)
            raise
        try:
            self._finish("ended")
        except (LedgerError, AuditError) as fault:
            self._notify(one_line(fault))
            raise
        self._notify()
        return self._exit_code()

    def _finish_after(self, fault: BaseException) -> None:
        """Write down that the run was stopped, and by what; whatever that meets must not hide it."""
        try:
            self._finish(f"stopped: {type(fault).__name__}")
        except (LedgerError, AuditError) as another:
            self.logger.warning("The end of this run could not be written down: %s", another)
        if not isinstance(fault, Stopped):  # somebody told it to stop, and knows
            known = isinstance(fault, EXPECTED)
            self._notify(one_line(fault) if known else f"a defect ({type(fault).__name__}): see the log.")

    def _notify(self, stopped: str = "") -> None:
        notify(self.ledger, self.settings.notify, now=self._clock.now(), stopped=stopped)

    def _event(self, tx: Tx, action: str, details: dict[str, Any]) -> None:
        hand = self.hand
        events.record(tx, action, at=hand.at, actor=hand.actor, run_id=hand.run_id, details=details)

    def _finish(self, outcome: str) -> None:
        requests = self.gateway.requests_sent
        with self.ledger.write() as tx:
            runs.end(
                tx,
                self._run_id,
                at=self._clock.now(),
                outcome=outcome,
                requests=requests,
                throttled=self.gateway.throttled,
            )
            self._event(tx, "run.ended", {"outcome": outcome, "requests": requests})
        write_run(self.ledger, self.settings.output_dir, self._run_id)
        publish(self.ledger, self.settings, at=self._clock.now())
        self._report()
        with self.ledger.read() as tx:
            totals = runs.totals(tx, run_id=self._run_id)
        for kind, statuses in totals.items():
            shown = ", ".join(f"{status} {entry['count']}" for status, entry in sorted(statuses.items()))
            self.logger.info("This run, %ss: %s.", kind, shown or "none")
        self.logger.info("Requests sent: %d, throttled: %d.", requests, self.gateway.throttled)

    def _report(self) -> None:
        """Write the page for people. What was posted is posted: no fault of it may end the run otherwise."""
        try:
            path = self.settings.output_dir / "report.html"
            renew_report(self.ledger, self.settings, path, now=self._clock.now())
        except NothingToReport:
            self.logger.info("Nothing ever came into this ledger, so there is no report.")
        except (ReportError, LedgerError) as fault:
            self.logger.warning("There is no new report. %s", fault)
        except Exception:
            self.logger.warning("There is no new report.", exc_info=True)

    def _exit_code(self) -> int:
        wanted = self.settings["fail_on"]
        if wanted == "never":
            return 0
        trouble = TROUBLE | {Status.REVIEW} if wanted == "review" else TROUBLE
        with self.ledger.read() as tx:
            totals = runs.totals(tx, run_id=self._run_id)
            undecided = runs.undecided(tx, self._run_id)
        left = {
            f"{kind} {status}": entry["count"]
            for kind, statuses in totals.items()
            for status, entry in statuses.items()
            if status in trouble
        }
        if undecided and wanted == "failed":
            left["in review that may or may not be in M3"] = undecided
        if not left:
            return 0
        self.logger.error(
            "This run left something for a person (%s): see `cloudsuite-ap review list`.",
            ", ".join(f"{count} {what}" for what, count in sorted(left.items())),
        )
        return _NEEDS_A_PERSON
