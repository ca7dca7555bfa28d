"""Bare calls: the payloads of everything that is owed, on some connections, without claims, leases or results."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from benchmarks.errors import BenchmarkError
from lienthong.exchange.believed import load_believed
from lienthong.exchange.client import Answer, PortalClient
from lienthong.exchange.payload import Wire, as_sent
from lienthong.exchange.replies import CallOutcome
from lienthong.exchange.settings import PortalSettings
from lienthong.exchange.wanted import want
from lienthong.model.codes import SourceMode
from lienthong.pipeline.push import account_of
from lienthong.pipeline.runtime import Runtime

PAGE = 2_000


def limit(rt: Runtime, settings: PortalSettings, tenant: str, connections: int) -> dict[str, dict[str, float]]:
    """Seconds and calls for all owed dossiers, then for all their steps. Payloads are made before the clock starts."""
    dossiers, steps = _payloads(rt, tenant)
    account = account_of(rt, tenant)
    with PortalClient(account, settings, tenant=tenant) as client:
        client.find_dossier("")  # one log-in for all
        sent = [as_sent(payload, v2=settings.send_v2_fields) for payload in dossiers]
        batches = list(_parts(sent, settings.batch_size))
        created = _timed(client, batches, connections, lambda one, batch: one.send_dossiers(batch, updating=False))
        if settings.mix_steps:
            lines = [[chunk] for chunk in _parts([step for own in steps for step in own], settings.step_chunk)]
        else:
            lines = [list(_parts(own, settings.step_chunk)) for own in steps if own]
        progress = _timed_lines(client, lines, connections, lambda one, chunk: one.send_steps(chunk))
    return {
        "dossiers": {"s": created, "calls": len(batches)},
        "steps": {"s": progress, "calls": sum(map(len, lines))},
    }


def _payloads(rt: Runtime, tenant: str) -> tuple[list[Wire], list[list[Wire]]]:
    dossiers: list[Wire] = []
    steps: list[list[Wire]] = []
    with rt.warehouse().begin() as connection:
        rows = connection.exec_driver_sql(
            "SELECT dossier_id::text FROM exchange.delivery WHERE tenant = %s AND state = 'owed' ORDER BY 1", (tenant,)
        )
        for ids in _parts([row[0] for row in rows], PAGE):
            for dossier in load_believed(connection, tenant, ids):
                wanted = want(dossier, SourceMode.OWN)
                if wanted.payload is not None:
                    dossiers.append(wanted.payload)
                    steps.append([step.payload for step in wanted.steps])
    return dossiers, steps


def _timed(client: PortalClient, batches: Sequence[Any], connections: int, send: Callable[..., Answer]) -> float:
    return _timed_lines(client, [[batch] for batch in batches], connections, send)


def _timed_lines(
    client: PortalClient, lines: Sequence[Sequence[Any]], connections: int, send: Callable[..., Answer]
) -> float:
    """Each line's calls one after the other, lines side by side."""
    todo, lock, wrong = iter(lines), threading.Lock(), []

    def work(one: PortalClient) -> None:
        while True:
            with lock:
                line = next(todo, None)
            if line is None:
                return
            wrong.extend(o for o in (send(one, each).outcome for each in line) if o is CallOutcome.UNKNOWN)

    clients = [client.sibling() for _ in range(connections)]
    threads = [threading.Thread(target=work, args=(one,)) for one in clients]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise BenchmarkError(f"{len(wrong)} bare calls stayed without an answer.")
    return time.perf_counter() - started


def _parts(values: Sequence[Any], size: int) -> Iterator[list[Any]]:
    for at in range(0, len(values), size):
        yield list(values[at : at + size])
