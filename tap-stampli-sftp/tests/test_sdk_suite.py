"""The SDK's own test suite for taps, run against files on a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.testing import get_tap_test_class
from tap_stampli_sftp.tap import TapStampliSFTP

if TYPE_CHECKING:
    import pathlib

# The suite wants its settings when tests are collected, the server is there when they run: one dict,
# filled later.
CONFIG: dict[str, Any] = {"host": "127.0.0.1", "username": "filled in later"}

FILES = {
    "vendors_1.csv": "Vendor ID,Vendor Name\nV1,Acme\nV2,Beta\n",
    "gl_accounts_1.csv": "Company,GL Account\nUS,6000\n",
    "invoices_1.csv": (
        "Invoice ID,Invoice Number,Vendor ID,Invoice Date,Approved Date,Currency,Invoice Amount,Line Amount\n"
        "I1,N1,V1,2026-01-31,2026-02-01T10:00:00Z,EUR,121.00,121.00\n"
        "I2,N2,V1,2026-01-31,,EUR,oops,5.00\n"
    ),
    "payments_1.csv": (
        "Payment ID,Payment Date,Vendor ID,Currency,Payment Amount,Invoice ID,Applied Amount\n"
        "P1,2026-02-01,V1,EUR,121.00,I1,121.00\n"
    ),
}


@pytest.fixture(scope="module", autouse=True)
def _server(sshd: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    directory: pathlib.Path = tmp_path_factory.mktemp("outbound")
    for name, content in FILES.items():
        (directory / name).write_text(content)
    CONFIG.update(sshd.config(outbound_path=str(directory), min_age_seconds=0))


TestSdkSuite = get_tap_test_class(TapStampliSFTP, config=CONFIG, parse_env_config=False)
