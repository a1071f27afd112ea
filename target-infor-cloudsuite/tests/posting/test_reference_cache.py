"""M3's reference data: cached, then read as far as it changed, and whole once a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from click.testing import CliRunner
from target_infor_cloudsuite.cli import main
from target_infor_cloudsuite.ledger.figures import kept_companies

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.posting.rig import Rig, invoice
else:
    from posting_rig import invoice


def lists_of_suppliers(rig: Rig) -> list[bool]:
    """Each list of company 100's suppliers that M3 was asked for: whether only for what changed."""
    found = [
        bool(step["record"].get("LMTS"))
        for entry in rig.sandbox.control("GET", "requests")
        for step in entry["transactions"]
        if step["transaction"] == "LstSuppliers"
    ]
    rig.sandbox.control("DELETE", "requests")
    return found[: len(found) // 2] if len(found) > 1 else found  # two companies, asked alike


def test_suppliers_are_read_as_far_as_they_changed(rig_for: Callable[..., Rig]) -> None:
    rig = rig_for(reference_max_age_minutes=60)
    rig.run()
    assert lists_of_suppliers(rig) == [False]
    rig.run()
    assert lists_of_suppliers(rig) == []
    rig.sandbox.control(
        "PUT", "master", {"suppliers": [{"cono": 100, "suno": "10990", "name": "Newcomer GmbH"}]}
    )
    rig.time.sleep(3601)
    fresh, known = (
        invoice(vendor_id="V-9", vendor_external_id="10990", vendor_name="Newcomer GmbH"),
        invoice(),
    )
    rig.run(fresh, known)
    assert lists_of_suppliers(rig) == [True]
    assert [rig.status(fresh), rig.status(known)] == ["posted", "posted"]
    with rig.ledger.read() as tx:
        assert kept_companies(tx) == [100, 200]
    rig.time.sleep(24 * 3600)
    rig.run()
    assert lists_of_suppliers(rig) == [False]


def test_a_refresh_reads_what_m3_says_of_each_supplier_anew(rig_for: Callable[..., Rig]) -> None:
    rig = rig_for(reference_max_age_minutes=60)
    supplier = {"cono": 100, "suno": "10980", "name": "Payee GmbH"}
    rig.sandbox.control("PUT", "master", {"suppliers": [supplier]})
    rig.run(first := invoice(vendor_id="V-8", vendor_external_id="10980", vendor_name="Payee GmbH"))
    rig.sandbox.control("PUT", "master", {"suppliers": [supplier | {"payee": "10001"}]})
    path = rig.write_config()
    done = CliRunner().invoke(main, ["--config", str(path), "reference", "refresh"])
    assert done.exit_code == 0, done.output
    rig.time.sleep(60)
    rig.run(second := invoice(vendor_id="V-8", vendor_external_id="10980", vendor_name="Payee GmbH"))
    assert [rig.status(each) for each in (first, second)] == ["posted", "posted"]
    assert [rig.document(each).payee for each in (first, second)] == ["10980", "10001"]
