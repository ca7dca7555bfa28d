"""What tests and the demo may see and turn: /_sim/…, JSON in and out. Nothing here exists on the real portal."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.portal.state import Portal

Handler = Callable[[Request], Awaitable[Response]]


def routes(portal: Portal) -> list[Route]:
    """Inspection endpoints of one portal."""

    async def health(_: Request) -> Response:
        dossier_count, step_count = portal.store.count()
        return JSONResponse({"ready": True, "dossiers": dossier_count, "steps": step_count})

    async def dossiers(request: Request) -> Response:
        province = request.query_params.get("province")
        items = portal.store.dossiers(province, **_page(request))
        return JSONResponse({"total": portal.store.count(province)[0], "items": [asdict(item) for item in items]})

    async def dossier(request: Request) -> Response:
        found = portal.store.dossier(request.path_params["code"])
        if found is None:
            return JSONResponse({"error": "no such dossier"}, status_code=404)
        return JSONResponse(asdict(found) | {"steps": [asdict(step) for step in portal.store.steps(found.code)]})

    async def steps(request: Request) -> Response:
        items = portal.store.steps(request.query_params.get("code"), **_page(request))
        return JSONResponse({"total": portal.store.count()[1], "items": [asdict(item) for item in items]})

    async def calls(request: Request) -> Response:
        limit = int(request.query_params.get("limit", "1000"))
        recent = list(portal.calls)[-limit:] if limit else []
        return JSONResponse({"counts": dict(portal.counts), "calls": [asdict(call) for call in recent]})

    async def switches(request: Request) -> Response:
        if request.method == "PUT":
            try:
                portal.switches = portal.switches.changed(await request.json())
            except ValueError as error:
                return JSONResponse({"error": str(error)}, status_code=400)
        return JSONResponse(portal.switches.as_dict())

    async def fail_next(request: Request) -> Response:
        order: dict[str, Any] = await request.json()
        try:
            portal.fail_next(str(order["service"]), str(order["kind"]), int(order.get("times", 1)))
        except (KeyError, ValueError) as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        return JSONResponse({"ordered": True})

    async def pass_time(request: Request) -> Response:
        portal.pass_time(float((await request.json())["seconds"]))
        return JSONResponse({"now": portal.now()})

    async def reset(_: Request) -> Response:
        portal.reset()
        return JSONResponse({"reset": True})

    table: list[tuple[str, Handler, list[str]]] = [
        ("/_sim/health", health, ["GET"]),
        ("/_sim/dossiers", dossiers, ["GET"]),
        ("/_sim/dossiers/{code}", dossier, ["GET"]),
        ("/_sim/steps", steps, ["GET"]),
        ("/_sim/calls", calls, ["GET"]),
        ("/_sim/switches", switches, ["GET", "PUT"]),
        ("/_sim/fail_next", fail_next, ["POST"]),
        ("/_sim/pass_time", pass_time, ["POST"]),
        ("/_sim/reset", reset, ["POST"]),
    ]
    return [Route(path, handler, methods=methods) for path, handler, methods in table]


def _page(request: Request) -> dict[str, int]:
    return {
        "limit": int(request.query_params.get("limit", "-1")),
        "offset": int(request.query_params.get("offset", "0")),
    }
