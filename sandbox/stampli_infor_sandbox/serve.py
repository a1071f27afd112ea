"""Both servers in one process, from the first port to the last signal."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import asyncssh
from aiohttp import web

from stampli_infor_sandbox import home as homes
from stampli_infor_sandbox.gateway.app import Gateway
from stampli_infor_sandbox.gateway.control import Control
from stampli_infor_sandbox.gateway.faults import Faults
from stampli_infor_sandbox.gateway.log import RequestLog
from stampli_infor_sandbox.gateway.oauth import Authorization
from stampli_infor_sandbox.gateway.throttle import Throttle
from stampli_infor_sandbox.m3.database import open_database
from stampli_infor_sandbox.m3.engine import M3
from stampli_infor_sandbox.m3.master import Master
from stampli_infor_sandbox.m3.posting import finish_due
from stampli_infor_sandbox.m3.programs import HANDLERS
from stampli_infor_sandbox.scenarios.base import install, place_files
from stampli_infor_sandbox.sftp import start_sftp

if TYPE_CHECKING:
    from collections.abc import Callable

    from stampli_infor_sandbox.scenarios.base import Scenario


@dataclass(frozen=True, slots=True)
class Options:
    """What ``serve`` was told; times in the units that their names say."""

    home: homes.Home
    tenant: str
    sftp_port: int
    gateway_port: int
    latency_ms: int
    requests_per_minute: int
    token_life: int
    validation_delay_ms: int
    list_cap: int


async def serve(options: Options, scenario: Callable[[], Scenario], tell: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        options: What to serve and where.
        scenario: Makes the first state; called only where the home has none.
        tell: Given one line once both servers are up.
    """
    home = options.home
    earlier = home.read()
    homes.prepare(home)
    connection = open_database(home.database)
    master = Master.load(connection)
    if not master.companies:
        first = scenario()
        install(first, connection, master)
        place_files(first, home.outbound, datetime.now(UTC))
    loop = asyncio.get_running_loop()
    m3 = M3(
        connection=connection,
        master=master,
        handlers=HANDLERS,
        tenant_name=options.tenant,
        validation_delay=options.validation_delay_ms / 1000,
        list_cap=options.list_cap,
    )

    def validate() -> None:
        wait = finish_due(m3)
        if wait is not None:
            loop.call_later(wait, validate)

    def schedule(seconds: float) -> None:
        loop.call_later(seconds, validate)

    m3.schedule = schedule
    validate()

    sftp_password = homes.password(home)
    sftp = await start_sftp(
        root=home.sftp,
        port=homes.port(options.sftp_port, earlier.get("sftp", {}).get("port")),
        username=homes.USERNAME,
        password=sftp_password,
        host_key=home.host_key,
        client_key=homes.client_public_key(home),
    )
    keys = homes.ionapi(home)
    authorization = Authorization(ionapi=keys, token_life=options.token_life)
    gateway = Gateway(
        m3=m3,
        control=Control(m3=m3, faults=Faults(), log=RequestLog(connection), authorization=authorization),
        throttle=Throttle(per_minute=options.requests_per_minute),
        tenant=homes.TENANT,
        latency=options.latency_ms / 1000,
    )
    runner = web.AppRunner(gateway.application(), access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    wanted = homes.port(options.gateway_port, earlier.get("gateway", {}).get("port"))
    site = web.TCPSite(runner, "127.0.0.1", wanted, reuse_address=True)
    await site.start()
    gateway_port = int(runner.addresses[0][1])
    base_url = f"http://127.0.0.1:{gateway_port}"
    cono, divi = min(master.divisions)
    fingerprint = asyncssh.read_public_key(home.host_key.with_suffix(".pub")).get_fingerprint("sha256")
    homes.publish(
        home,
        {
            "sftp": {
                "host": "127.0.0.1",
                "port": sftp.get_port(),
                "username": homes.USERNAME,
                "password": sftp_password,
                "private_key_path": str(home.client_key.absolute()),
                "host_key": fingerprint,
                "outbound_path": "/outbound",
            },
            "gateway": {"base_url": base_url, "port": gateway_port},
            "ionapi_path": str(home.ionapi.absolute()),
            "tenant": options.tenant,
            "cono": cono,
            "divi": divi,
            "pid": os.getpid(),
        },
        keys,
    )
    tell(f"sandbox ready: SFTP 127.0.0.1:{sftp.get_port()}, gateway {base_url}, files in {home.root}.")
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    await stopped.wait()
    home.description.unlink(missing_ok=True)
    sftp.close()
    await runner.cleanup()
    await sftp.wait_closed()
    connection.close()
