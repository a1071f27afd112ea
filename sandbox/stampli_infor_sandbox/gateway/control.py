"""``/sandbox/...``: what a test tells the sandbox and asks it. No part of Infor; needs no token."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import web

from stampli_infor_sandbox.gateway.faults import FaultError, Rule
from stampli_infor_sandbox.m3.database import unit_of_work
from stampli_infor_sandbox.m3.master import MasterError, parse

if TYPE_CHECKING:
    from stampli_infor_sandbox.gateway.faults import Faults
    from stampli_infor_sandbox.gateway.log import RequestLog
    from stampli_infor_sandbox.gateway.oauth import Authorization
    from stampli_infor_sandbox.m3.engine import M3


@dataclass(slots=True)
class Control:
    """The control endpoints."""

    m3: M3
    faults: Faults
    log: RequestLog
    authorization: Authorization
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def routes(self) -> list[web.RouteDef]:
        """All control routes."""
        return [
            web.post("/sandbox/faults", self.add_faults),
            web.get("/sandbox/faults", self.list_faults),
            web.delete("/sandbox/faults", self.clear_faults),
            web.post("/sandbox/release", self.release),
            web.get("/sandbox/requests", self.requests),
            web.delete("/sandbox/requests", self.clear_requests),
            web.put("/sandbox/master", self.put_master),
            web.post("/sandbox/expire-tokens", self.expire_tokens),
        ]

    async def add_faults(self, request: web.Request) -> web.Response:
        """Add rules behind those in force: a JSON list."""
        try:
            data = await request.json()
            rules = [Rule.from_json(r) for r in (data if isinstance(data, list) else [data])]
        except (FaultError, TypeError, json.JSONDecodeError) as error:
            return _bad(error)
        self.faults.rules.extend(rules)
        return web.json_response({"rules": len(self.faults.rules)})

    async def list_faults(self, _request: web.Request) -> web.Response:
        """The rules in force with how often they were seen and hit."""
        return web.json_response([asdict(rule) for rule in self.faults.rules])

    async def clear_faults(self, _request: web.Request) -> web.Response:
        """Drop all rules and let held requests go."""
        self.faults.rules.clear()
        self._let_go()
        return web.json_response({"rules": 0})

    async def release(self, _request: web.Request) -> web.Response:
        """Let held requests go; the rules stay."""
        self._let_go()
        return web.json_response({"released": True})

    def _let_go(self) -> None:
        self.released.set()
        self.released = asyncio.Event()

    async def requests(self, _request: web.Request) -> web.Response:
        """Every request since the start, in order."""
        return web.json_response(list(self.log.entries))

    async def clear_requests(self, _request: web.Request) -> web.Response:
        """Forget the requests; counts in the database stay."""
        self.log.entries.clear()
        return web.json_response([])

    async def put_master(self, request: web.Request) -> web.Response:
        """Add or replace master data, all or nothing: ``{"suppliers": [{...}], "dimensions": [...]}``."""
        now = int(self.m3.clock().timestamp() * 1000)
        try:
            data: dict[str, list[dict[str, Any]]] = await request.json()
            parsed = [
                (kind, parse(kind, {"changed": now, **row} if kind == "suppliers" else row))
                for kind, rows in data.items()
                for row in rows
            ]
        except (MasterError, AttributeError, TypeError, json.JSONDecodeError) as error:
            return _bad(error)
        with unit_of_work(self.m3.connection):
            for kind, made in parsed:
                self.m3.master.put(self.m3.connection, kind, made)
        return web.json_response({"rows": len(parsed)})

    async def expire_tokens(self, _request: web.Request) -> web.Response:
        """Expire every access token."""
        return web.json_response({"expired": self.authorization.expire_all()})


def _bad(error: Exception) -> web.Response:
    return web.json_response({"error": str(error)}, status=400)
