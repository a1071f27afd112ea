"""The gateway's HTTP side: token check, throttle, faults, then M3."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from aiohttp import web

from stampli_infor_sandbox.gateway.execute import BadRequest, parse_bulk, parse_single, run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from stampli_infor_sandbox.gateway.control import Control
    from stampli_infor_sandbox.gateway.execute import Execution, Result
    from stampli_infor_sandbox.gateway.faults import Rule
    from stampli_infor_sandbox.gateway.throttle import Throttle
    from stampli_infor_sandbox.m3.engine import M3

_HTML = "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in.</body></html>"
_POLL_SECONDS = 0.01


@dataclass(slots=True)
class Gateway:
    """One gateway in front of one M3.

    Args:
        m3: M3.
        control: Control endpoints, with faults, log and authorization.
        throttle: Requests per minute.
        tenant: The tenant's name in the paths.
        latency: Seconds added to every answer.
    """

    m3: M3
    control: Control
    throttle: Throttle
    tenant: str
    latency: float

    def application(self) -> web.Application:
        """The aiohttp application."""
        app = web.Application(client_max_size=4 * 1024 * 1024)
        base = f"/{self.tenant}/M3/m3api-rest/v2/execute"
        app.add_routes(
            [
                web.post(f"/{self.tenant}/as/token.oauth2", self.token),
                web.post(f"/{self.tenant}/as/revoke_token.oauth2", self.control.authorization.revoke),
                web.get(base + "/{program}/{transaction}", self.single),
                web.post(base, self.bulk),
                *self.control.routes(),
            ]
        )
        return app

    async def token(self, request: web.Request) -> web.StreamResponse:
        """Issue a token; rules for program OAUTH apply."""
        entry = self.control.log.open(at=_now(), program="OAUTH", transactions=[{"transaction": "token"}])
        self.control.log.count("tokens")
        rule = self.control.faults.find("OAUTH", [("token", {})])

        async def work() -> web.Response:
            return await self.control.authorization.token(request)

        response = await self._with_fault(request, rule, work, entry)
        entry["status"] = response.status
        return response

    async def single(self, request: web.Request) -> web.StreamResponse:
        """``GET .../execute/{PROGRAM}/{TRANSACTION}``."""
        info = request.match_info
        return await self._execute(
            request, lambda: parse_single(info["program"], info["transaction"], request.query)
        )

    async def bulk(self, request: web.Request) -> web.StreamResponse:
        """``POST .../execute``."""
        text = await request.text()
        return await self._execute(request, lambda: parse_bulk(text))

    async def _execute(self, request: web.Request, parse: Callable[[], Execution]) -> web.StreamResponse:
        log = self.control.log
        entry = log.open(at=_now(), method=request.method, program="", transactions=[])
        log.count("http")
        if self.latency:
            await asyncio.sleep(self.latency)
        if not self.control.authorization.is_valid(request.headers.get("Authorization", "")):
            return _refuse(entry, 401, "The access token is unknown or has expired")
        wait = self.throttle.take()
        if wait:
            log.count("http 429")
            return _refuse(entry, 429, "Spike arrest violation", {"Retry-After": str(wait)})
        try:
            execution = parse()
        except BadRequest as error:
            return _refuse(entry, 400, str(error))
        entry |= {"program": execution.request.program, "transactions": [
            {"transaction": s.transaction, "record": dict(s.record)} for s in execution.steps]}  # fmt: skip
        rule = self.control.faults.find(execution.request.program, execution.matched())

        async def work() -> web.Response:
            return self._work(execution, rule, entry)

        response = await self._with_fault(request, rule, work, entry)
        entry["status"] = response.status
        return response

    def _work(self, execution: Execution, rule: Rule | None, entry: dict[str, Any]) -> web.Response:
        stop = rule.n if rule and rule.action in {"terminate_bulk_after", "drop_results_after"} else None
        drop = rule is not None and rule.action == "drop_results_after"
        result: Result = run(self.m3, execution, stop_after=stop, drop=drop)
        entry["transactions"] = result.log
        program = execution.request.program
        self.control.log.count(*(f"{program}/{t['transaction']} {t['outcome']}" for t in result.log))
        return web.json_response(result.body, status=result.status)

    async def _with_fault(
        self,
        request: web.Request,
        rule: Rule | None,
        work: Callable[[], Awaitable[web.Response]],
        entry: dict[str, Any],
    ) -> web.StreamResponse:
        if rule is None:
            return await work()
        entry["fault"] = rule.action
        if rule.action == "work_after_answer":
            asyncio.get_running_loop().call_later(rule.delay_ms / 1000, lambda: asyncio.ensure_future(work()))
            return _status(rule, 504)
        if rule.delay_ms:
            await asyncio.sleep(rule.delay_ms / 1000)
        if rule.action == "refuse":
            return _reset(request)
        if rule.action == "timeout_before_work":
            await self._until_gone(request, releasable=False)
            return _reset(request)
        if rule.action == "status" and rule.when == "before":
            return _status(rule, rule.status)
        response = await work()
        entry["worked"] = True
        if rule.hold or rule.action == "timeout_after_work":
            await self._until_gone(request, releasable=rule.hold)
        return await _spoil(request, rule, response)

    async def _until_gone(self, request: web.Request, *, releasable: bool) -> None:
        released = self.control.released
        while request.transport is not None and not request.transport.is_closing():
            if releasable and released.is_set():
                return
            await asyncio.sleep(_POLL_SECONDS)


async def _spoil(request: web.Request, rule: Rule, response: web.Response) -> web.StreamResponse:
    match rule.action:
        case "reset_after_work" | "timeout_after_work":
            return _reset(request)
        case "status":
            return _status(rule, rule.status)
        case "html_200":
            return web.Response(text=_HTML, content_type="text/html")
        case "truncated_json":
            return await _truncate(request, response)
        case _:
            return response


async def _truncate(request: web.Request, response: web.Response) -> web.StreamResponse:
    whole = response.body if isinstance(response.body, bytes) else b""
    cut = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(whole))})
    await cut.prepare(request)
    await cut.write(whole[: len(whole) // 2])
    if request.transport is not None:
        request.transport.close()
    return cut


def _reset(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=499)


def _status(rule: Rule, status: int) -> web.Response:
    headers = {}
    if rule.retry_after == "date":
        headers["Retry-After"] = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    elif rule.retry_after not in {None, "none"}:
        headers["Retry-After"] = str(rule.retry_after)
    return web.json_response(
        {"message": f"Injected by the sandbox: {status}"}, status=status, headers=headers
    )


def _refuse(
    entry: dict[str, Any], status: int, message: str, headers: dict[str, str] | None = None
) -> web.Response:
    entry["status"] = status
    return web.Response(
        text=json.dumps({"message": message}), status=status, headers=headers, content_type="application/json"
    )


def _now() -> str:
    return datetime.now(UTC).isoformat()
