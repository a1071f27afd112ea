"""What a tenant lacks: known before the first write, and said by name."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from target_infor_cloudsuite.ledger import reference
from target_infor_cloudsuite.m3.catalog import Catalog
from target_infor_cloudsuite.tenant import SetupError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.posting import rig as rigs
else:
    rigs = sys.modules.get("posting_rig")
    if rigs is None:
        _PATH = Path(__file__).parents[1] / "posting" / "rig.py"
        _SPEC = importlib.util.spec_from_file_location("posting_rig", _PATH)
        rigs = sys.modules[_SPEC.name] = importlib.util.module_from_spec(_SPEC)
        _SPEC.loader.exec_module(rigs)


@pytest.fixture(scope="module")
def ce2020(tmp_path_factory: pytest.TempPathFactory) -> Iterator[rigs.Sandbox]:
    sandbox = rigs.Sandbox(tmp_path_factory.mktemp("ce2020"), "ce2020")
    yield sandbox
    sandbox.stop()


def test_a_tenant_without_line_coding_gets_nothing_uncoded(ce2020: rigs.Sandbox, tmp_path: Path) -> None:
    rig = rigs.Rig(ce2020, tmp_path)
    coded = rigs.invoice()
    rig.run(coded)
    assert rig.status(coded) == "review line_coding_not_supported"
    assert ce2020.sent("AddHead") == 0
    rig.ledger.close()


@pytest.mark.parametrize(
    ("wanted", "lacking", "named"),
    [
        ("auto", ("APS450MI", "GetHead"), "APS450MI"),
        ("APS100MI", ("APS100MI", "AddHead"), "APS100MI"),
        ("auto", ("APS455MI", "ValidByBatchNo"), "APS455MI"),
        ("auto", ("APS200MI", "GetInvTotInfo"), "APS200MI"),
    ],
)
def test_a_missing_program_is_named_before_the_first_write(
    ce2020: rigs.Sandbox, tmp_path: Path, wanted: str, lacking: tuple[str, str], named: str
) -> None:
    rig = rigs.Rig(ce2020, tmp_path)
    rig.run()
    rig.changed["ap_program"] = wanted
    with rig.ledger.read() as tx:
        kept = reference.kept(tx, "catalog:100")
    assert kept is not None
    catalog = Catalog.from_json(kept[0])
    layouts = {key: fields for key, fields in catalog.layouts.items() if key != lacking}
    poorer = Catalog(
        source=catalog.source, layouts=layouts, unproven=catalog.unproven, correlated=catalog.correlated
    )
    with rig.ledger.write() as tx:
        reference.keep(tx, "catalog:100", poorer.to_json(), read_at=rig.time.now())
    with pytest.raises(SetupError, match=named):
        rig.run(rigs.invoice())
    assert ce2020.sent("AddHead") == 0
    rig.ledger.close()
