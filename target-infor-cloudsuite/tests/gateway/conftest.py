"""The scripted gateway, for the tests of `ion` and `m3`; the helper module is loaded by its path."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from target_infor_cloudsuite.ion.credentials import IonCredentials
from target_infor_cloudsuite.ion.gateway import Gateway
from target_infor_cloudsuite.ion.pacing import OwnBudget, Pacer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.gateway import ion_server
else:
    _PATH = Path(__file__).parent / "ion_server.py"
    _SPEC = importlib.util.spec_from_file_location("target_tests_ion_server", _PATH)
    ion_server = sys.modules[_SPEC.name] = importlib.util.module_from_spec(_SPEC)
    _SPEC.loader.exec_module(ion_server)


@pytest.fixture
def ion() -> Iterator[ion_server.IonServer]:
    with ion_server.running() as server:
        yield server


@pytest.fixture
def time() -> ion_server.FakeTime:
    return ion_server.FakeTime()


@pytest.fixture
def secrets() -> tuple[str, ...]:
    return (*ion_server.SECRETS.values(), ion_server.TOKEN_PREFIX)


@pytest.fixture
def make_gateway(ion: ion_server.IonServer, time: ion_server.FakeTime) -> Iterator[Callable[..., Gateway]]:
    """Make gateways to the server (or with `text=` to another), closed at the end."""
    made: list[Gateway] = []

    def make(
        *, text: str = "", timeout_seconds: float = 10, max_in_flight: int = 4, max_transactions: int = 50
    ) -> Gateway:
        gateway = Gateway(
            IonCredentials.load(text=text or ion.ionapi()),
            pacer=Pacer(600, store=OwnBudget(time), sleep=time.sleep, wall_clock=time.wall),
            timeout_seconds=timeout_seconds,
            max_in_flight=max_in_flight,
            max_transactions=max_transactions,
        )
        made.append(gateway)
        return gateway

    yield make
    ion.released.set()
    for gateway in made:
        gateway.close()


@pytest.fixture
def gateway(make_gateway: Callable[..., Gateway]) -> Gateway:
    return make_gateway()
