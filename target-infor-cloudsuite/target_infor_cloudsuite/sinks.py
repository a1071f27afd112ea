"""The one sink: it fills the ledger, and nothing else. Posting begins when the input has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk.sinks import BatchSink

from target_infor_cloudsuite.posting.intake import receive

if TYPE_CHECKING:
    from target_infor_cloudsuite.target import TargetInforCloudSuite


class LedgerSink(BatchSink):
    """Takes the records of one stream into the ledger, a batch a transaction."""

    MAX_SIZE_DEFAULT = 500

    # A record that does not fit its schema is a document for review or rejection, never the end of the run:
    # the mapping stage checks every field itself and says in a clerk's words what is wrong.
    validate_schema = False

    def __init__(self, target: TargetInforCloudSuite, *args: Any, **kwargs: Any) -> None:
        super().__init__(target, *args, **kwargs)
        self.target = target

    def _validate_and_parse(self, record: dict[str, Any]) -> dict[str, Any]:
        """Leave the record as it came; the SDK would make datetimes of dates and end the run at a bad one."""
        return record

    def _singer_validate_message(self, record: dict[str, Any]) -> None:
        """Take a record without its key properties, too: the SDK would end the run at it."""

    def _after_process_record(self, context: dict[str, Any]) -> None:
        """At DEBUG the SDK would show every record of the batch here, bank accounts included."""

    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:
        """Collect a record for the batch."""
        context.setdefault("records", []).append(record)

    def process_batch(self, context: dict[str, Any]) -> None:
        """Write the batch; durable when this returns, so STATE may pass it."""
        records = context.get("records") or []
        if self.stream_name == "meltano_test_stream":
            self.logger.info("The test record of `meltano config test` was dropped.")
            return
        for ledger in self.target.taken_into(self.stream_name):
            with ledger.write() as tx:
                receive(tx, self.stream_name, records, hand=self.target.hand)
