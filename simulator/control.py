"""How `advance` reaches the process that serves the world: an address and a key in the state folder, and one route."""

from __future__ import annotations

import json
import secrets
import urllib.error
import urllib.request
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psycopg2
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.outside import Outside

PATH = "/_sim/advance"
TIMEOUT_S = 120.0
_WRONG_KEY = 403


def advance_route(outside: Outside, key: str) -> Route:
    """`POST {key, province, seed, changes}` → `{province, changes}`; 400 with `error` when it can't be done."""

    async def advance(request: Request) -> Response:
        order: dict[str, Any] = await request.json()
        if order.get("key") != key:
            return JSONResponse({"error": "another world is served here"}, status_code=_WRONG_KEY)
        province, seed, changes = str(order["province"]), int(order["seed"]), int(order["changes"])
        try:
            made = await run_in_threadpool(outside.advance, province, seed, changes)
        except (ValueError, psycopg2.Error) as error:
            return JSONResponse({"error": str(error).strip()}, status_code=400)
        return JSONResponse({"province": province, "changes": [asdict(change) for change in made]})

    return Route(PATH, advance, methods=["POST"])


def publish(folder: Path, url: str) -> str:
    """Note that this world is served at `url`; returns the key to be asked for."""
    key = secrets.token_hex(16)
    _path(folder).write_text(json.dumps({"url": url, "key": key}), encoding="utf-8")
    return key


def withdraw(folder: Path) -> None:
    _path(folder).unlink(missing_ok=True)


def ask(folder: Path, province: str, seed: int, changes: int) -> dict[str, Any] | None:
    """Let the serving process do it; None when none is running. ValueError with its words when it can't."""
    if not _path(folder).exists():
        return None
    served = json.loads(_path(folder).read_text(encoding="utf-8"))
    order = {"key": served["key"], "province": province, "seed": seed, "changes": changes}
    request = urllib.request.Request(
        f"{served['url']}{PATH}", json.dumps(order).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            done: dict[str, Any] = json.loads(answer.read())
            return done
    except urllib.error.HTTPError as error:
        if error.code in (_WRONG_KEY, 404, 405):  # the port belongs to somebody else by now
            return None
        raise ValueError(json.loads(error.read()).get("error", "failed")) from None
    except urllib.error.URLError as error:
        if isinstance(error.reason, ConnectionRefusedError):  # it ended without saying so
            return None
        raise ValueError(f"the serving process doesn't answer: {error.reason}") from None
    except TimeoutError:
        raise ValueError(f"the serving process didn't finish within {TIMEOUT_S:.0f} s") from None


def _path(folder: Path) -> Path:
    return folder / "serving.json"
