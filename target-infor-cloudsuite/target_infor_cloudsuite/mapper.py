"""The mapping stage as a Meltano mapper: ``invoices`` become ``ap_invoices``, ``payments`` ``ap_payments``.

It calls the same function as the target, so both ways post the same. Every record carries its source record,
so that the target knows it by the same keys; a document that is held comes with its reasons. Other streams
pass unchanged.
"""

from __future__ import annotations

import json
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import singer_sdk.singerlib as singer
from singer_sdk.mapper_base import InlineMapper
from stampli_infor_transforms.crosswalks import Crosswalks
from stampli_infor_transforms.hints import NO_HINTS
from stampli_infor_transforms.mapping import map_invoice, map_payment
from stampli_infor_transforms.policy import SettingsError
from stampli_infor_transforms.reference import Reference

from target_infor_cloudsuite.ap_streams import SCHEMAS, ap_record
from target_infor_cloudsuite.clock import Clock
from target_infor_cloudsuite.kept_reference import load_company
from target_infor_cloudsuite.ledger import Ledger
from target_infor_cloudsuite.mapping_control import hints_of, in_force
from target_infor_cloudsuite.plugin import Program, Reader
from target_infor_cloudsuite.posting.parts import divided
from target_infor_cloudsuite.settings import read_settings
from target_infor_cloudsuite.settings_schema import MAPPER_JSONSCHEMA
from target_infor_cloudsuite.setup import company_numbers, open_gateway

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MAPPED = {"invoices": "ap_invoices", "payments": "ap_payments"}


class StampliToInforMapper(Program, InlineMapper):
    """Maps Stampli documents to Infor M3 accounting documents, on the way from tap to target."""

    name = "stampli-to-infor"
    config_jsonschema = MAPPER_JSONSCHEMA
    message_reader_class = Reader

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        snapshot = self.config.get("reference_path")
        self.settings = read_settings(self.config, need_ionapi=not snapshot)
        self.hints = NO_HINTS
        # Approvals stand in the ledger; without them a snapshot is all that is needed.
        if snapshot and self.settings["mapping_approval"] != "required":
            self.crosswalks = Crosswalks.load(self.settings.crosswalk_dir)
            self.reference = _snapshot(Path(snapshot))
            return
        with closing(Ledger(self.settings.ledger_url)) as ledger:
            ledger.open()
            chosen = in_force(self.settings, ledger, at=self._clock.now())
            if chosen.waiting:
                self.logger.error("%s", chosen.warning)
            self.crosswalks = chosen.crosswalks
            with ledger.read() as tx:
                self.hints = hints_of(tx)
            self.reference = _snapshot(Path(snapshot)) if snapshot else self._read_reference(ledger)

    def check_settings(self) -> None:
        """Check the settings before the SDK does, whose message would show a secret's value."""
        read_settings(self.config, need_ionapi=not self.config.get("reference_path"))

    def map_schema_message(self, message_dict: dict[str, Any]) -> Iterator[singer.Message]:
        """The mapped streams have schemas of their own."""
        mapped = _MAPPED.get(message_dict["stream"])
        if mapped is None:
            yield singer.SchemaMessage(
                stream=message_dict["stream"],
                schema=message_dict["schema"],
                key_properties=message_dict.get("key_properties"),
            )
        else:
            yield singer.SchemaMessage(stream=mapped, schema=SCHEMAS[mapped], key_properties=["source_key"])

    def map_record_message(self, message_dict: dict[str, Any]) -> Iterator[singer.Message]:
        """Map one record; nothing is ever left out."""
        stream, record = message_dict["stream"], message_dict["record"]
        if stream in _MAPPED:
            # What is no object cannot be a document; the target rejects it, with what came.
            record = record if isinstance(record, dict) else {"not_an_object": record}
            for mapped in self._mapped(stream, record):
                yield singer.RecordMessage(stream=_MAPPED[stream], record=mapped)
        else:
            yield singer.RecordMessage(stream=stream, record=record)

    def _mapped(self, stream: str, record: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The record mapped; of an invoice over several companies a record for each, its own first."""
        policy = self.settings.policy
        parts: tuple[Mapping[str, Any], ...] = (record,)
        if stream == "invoices":
            parts = divided(record, crosswalks=self.crosswalks, policy=policy)
        map_record = map_invoice if stream == "invoices" else map_payment
        for part in parts:
            mapping = map_record(
                part,
                crosswalks=self.crosswalks,
                reference=self.reference,
                policy=policy,
                today=self._clock.now().date(),
                hints=self.hints,
            )
            yield ap_record(stream, part, mapping, crosswalk_version=self.crosswalks.version)

    def map_state_message(self, message_dict: dict[str, Any]) -> Iterator[singer.Message]:
        """STATE passes unchanged."""
        yield singer.StateMessage(value=message_dict["value"])

    def map_activate_version_message(self, message_dict: dict[str, Any]) -> Iterator[singer.Message]:
        """Versions pass unchanged, under the mapped stream's name."""
        stream = message_dict["stream"]
        yield singer.ActivateVersionMessage(
            stream=_MAPPED.get(stream, stream), version=message_dict["version"]
        )

    @cached_property
    def _clock(self) -> Clock:
        return Clock()

    def _read_reference(self, ledger: Ledger) -> Reference:
        numbers = company_numbers(self.settings, self.crosswalks)
        with open_gateway(self.settings, ledger) as gateway:
            companies = {
                cono: load_company(self.settings, ledger, gateway, cono, clock=self._clock)
                for cono in numbers
            }
        return Reference(companies)


def _snapshot(path: Path) -> Reference:
    try:
        return Reference.from_json(json.loads(path.read_text(encoding="utf-8")))
    except OSError as fault:
        raise SettingsError(
            "reference_path", f"names {path}, which cannot be read: {fault.strerror}."
        ) from fault
    except (ValueError, KeyError, TypeError) as fault:
        raise SettingsError(
            "reference_path", f"names {path}, which is no snapshot of `cloudsuite-ap reference export`."
        ) from fault
