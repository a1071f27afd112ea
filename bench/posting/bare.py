"""The smallest tap and target that the Singer SDK makes; they have nothing to do."""

from __future__ import annotations

BARE_TAP = """
from singer_sdk import Stream, Tap
from singer_sdk import typing as th


class Nothing(Stream):
    name = "nothing"
    schema = th.PropertiesList(th.Property("id", th.StringType)).to_dict()

    def get_records(self, context):
        return []


class BareTap(Tap):
    name = "tap-bare"
    config_jsonschema = th.PropertiesList().to_dict()

    def discover_streams(self):
        return [Nothing(self)]


BareTap.cli()
"""

BARE_TARGET = """
from singer_sdk import Target
from singer_sdk import typing as th
from singer_sdk.sinks import BatchSink


class Sink(BatchSink):
    def process_batch(self, context):
        pass


class BareTarget(Target):
    name = "target-bare"
    config_jsonschema = th.PropertiesList().to_dict()
    default_sink_class = Sink


BareTarget.cli()
"""
