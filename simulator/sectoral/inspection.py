"""What tests and the demo may see and turn: /_sim/…, JSON in and out. Nothing here exists at a ministry."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.sectoral.desk import Desk

Handler = Callable[[Request], Awaitable[Response]]


def routes(desk: Desk[Any]) -> list[Route]:
    """Inspection endpoints of one system."""

    async def health(_: Request) -> Response:
        return JSONResponse({"ready": True, "source_id": desk.sector.source_id, "dossiers": len(desk.plans)})

    async def calls(request: Request) -> Response:
        limit = int(request.query_params.get("limit", "1000"))
        recent = list(desk.calls)[-limit:] if limit else []
        return JSONResponse({"counts": dict(desk.counts), "calls": [asdict(call) for call in recent]})

    async def switches(request: Request) -> Response:
        if request.method == "PUT":
            try:
                desk.switches = desk.switches.changed(await request.json())
            except ValueError as error:
                return JSONResponse({"error": str(error)}, status_code=400)
        return JSONResponse(desk.switches.as_dict())

    async def fail_next(request: Request) -> Response:
        order: dict[str, Any] = await request.json()
        try:
            desk.fail_next(str(order["endpoint"]), str(order["kind"]), int(order.get("times", 1)))
        except (KeyError, ValueError) as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        return JSONResponse({"ordered": True})

    async def pass_time(request: Request) -> Response:
        desk.pass_time(float((await request.json())["seconds"]))
        return JSONResponse({"now": desk.now()})

    async def advance(request: Request) -> Response:
        order: dict[str, Any] = await request.json()
        seed, changes = int(order.get("seed", 766)), int(order.get("changes", 20))
        made = await run_in_threadpool(desk.mover, seed, changes)
        return JSONResponse({"source_id": desk.sector.source_id, "changes": [asdict(change) for change in made]})

    async def reset(_: Request) -> Response:
        desk.reset()
        return JSONResponse({"reset": True})

    table: list[tuple[str, Handler, list[str]]] = [
        ("/_sim/health", health, ["GET"]),
        ("/_sim/calls", calls, ["GET"]),
        ("/_sim/switches", switches, ["GET", "PUT"]),
        ("/_sim/fail_next", fail_next, ["POST"]),
        ("/_sim/pass_time", pass_time, ["POST"]),
        ("/_sim/advance", advance, ["POST"]),
        ("/_sim/reset", reset, ["POST"]),
    ]
    return [Route(path, handler, methods=methods) for path, handler, methods in table]
