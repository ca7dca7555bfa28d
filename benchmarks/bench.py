"""One benchmark: sources made or found, a warehouse of its own, the sections that were asked for, one result."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import copy_limit, deliveries, loads, pushes, result, scores, sources, startup
from benchmarks.running import Runner
from benchmarks.server import Server
from benchmarks.setting import Setting
from benchmarks.sources import MONTH, SEED
from lienthong.pipeline.catalogue import sync_catalogue
from lienthong.warehouse.bootstrap.migrate import upgrade
from lienthong.warehouse.engine import engine_for
from simulator.portal.server import PortalServer
from simulator.world import World

SECTIONS = ("startup", "load", "score", "push", "deliver")


@dataclass(frozen=True)
class Options:
    """What to measure. `score_dossiers` 0: score only what was loaded; `push_dossiers` bounds the pushed source."""

    sections: Sequence[str] = SECTIONS
    provinces: Sequence[str] = ("H17",)
    modes: Sequence[str] = tuple(loads.MODES)
    phases: Sequence[str] = loads.PHASES
    changed_percent: float = 1.0
    score_dossiers: int = 1_000_000
    push_dossiers: int = 2_000
    copy_runs: int = 3
    simulated: int = sources.SIMULATED
    profile: bool = False
    statements: int = 0
    keep: bool = False


@dataclass
class Bench:
    """Runs sizes on one server. `folder` is for landing and the like, and is emptied."""

    server: Server
    folder: Path
    options: Options
    say: Callable[[str], None] = field(default=lambda line: print(line, flush=True))
    portal: PortalServer = field(init=False)

    def startup(self) -> dict[str, float]:
        """Seconds that processes need before they work."""
        found = startup.measure()
        for name, seconds in found.items():
            self.say(f"{seconds:8.2f} s  {name}")
        return found

    def run(self, size: int) -> dict[str, Any]:
        """Everything about one size, except what `result.write` adds."""
        options = self.options
        measured: dict[str, Any] = {
            "options": {
                "provinces": list(options.provinces),
                "changed_percent": options.changed_percent,
                "seed": SEED,
                "month": MONTH,
                "profile": options.profile,
            },
            "machine": result.machine(),
            "postgres": self.server.settings(),
            "phases": [],
        }
        if {"load", "score"} & set(options.sections):
            self._loads(size, measured)
        if "push" in options.sections and options.push_dossiers:
            with self._setting(options.provinces[:1], options.push_dossiers, "push") as (runner, *_):
                measured["push"] = pushes.measure(runner, options.provinces[0])
            measured["phases"] += runner.phases
        if "deliver" in options.sections:
            measured["deliveries"] = []
            for case in deliveries.CASES:
                self.say(f"— delivery: {case.name}")
                with self._setting(options.provinces[:1], case.dossiers, "deliver") as (runner, warehouse, *_):
                    url, tenant = self.server.postgres.url(warehouse), options.provinces[0]
                    measured["deliveries"].append(deliveries.measure(runner, self.portal, url, tenant, case))
                measured["phases"] += runner.phases
        return measured

    def _loads(self, size: int, measured: dict[str, Any]) -> None:
        options = self.options
        scoring = "score" in options.sections and "merge" in options.phases
        with self._setting(options.provinces, size, "load") as (runner, warehouse, databases, kept):
            measured["sources"] = [
                {"tenant": source.tenant, "rows": source.rows, "mib": source.mib, "built_s": source.built_s}
                for source in kept
            ]

            def limit() -> None:
                if "load" in options.sections:
                    measured["copy_limit"] = copy_limit.measure(
                        self.server, warehouse, options.provinces, self._reachable / "copy", options.copy_runs
                    )
                    seconds = measured["copy_limit"]["work_s"]
                    self.say(f"{'the same rows by COPY':>23} {seconds:8.2f} s")

            plan = loads.LoadPlan(
                options.modes if "load" in options.sections else ("first",),
                options.phases,
                databases,
                options.changed_percent / 100,
            )
            measured["loads"] = loads.measure(runner, plan, limit)
            if scoring:
                measured["scores"] = scores.measure(runner, warehouse, options.provinces, options.score_dossiers)
            measured["warehouse_mib"] = self.server.size_mib(warehouse)
        measured["phases"] += runner.phases

    @property
    def _reachable(self) -> Path:
        return self.folder / "work"

    @contextmanager
    def _setting(
        self, provinces: Sequence[str], size: int, name: str
    ) -> Iterator[tuple[Runner, str, dict[str, str], list[sources.Source]]]:
        """A migrated warehouse with the national catalogue, copies of the sources, the portal; dropped at the end."""
        kept = [
            sources.ensure(self.server, tenant, size, self.say, self.options.simulated) for tenant in provinces
        ]  # fmt: skip
        warehouse = f"bench_{name}_warehouse"
        databases = {source.tenant: f"bench_{name}_{source.tenant.lower()}" for source in kept}
        postgres = self.server.postgres
        for source in kept:
            self.server.copy(source.database, databases[source.tenant])
        postgres.drop_database(warehouse)
        postgres.create_database(warehouse)
        engine = engine_for(postgres.url(warehouse))
        upgrade(engine)
        try:
            with PortalServer(World.generate(SEED, 1, MONTH, provinces=tuple(provinces))) as portal:
                urls = {tenant: postgres.url(database) for tenant, database in databases.items()}
                self.portal = portal
                setting = Setting.prepare(self._reachable, postgres.url(warehouse), urls, portal)
                sync_catalogue(setting.runtime, "bench-catalogue")
                runner = Runner(self.server, setting, self.say, self.options.profile, self.options.statements)
                yield runner, warehouse, databases, kept
        finally:
            engine.dispose()
            shutil.rmtree(self._reachable, ignore_errors=True)
            if not self.options.keep:
                for database in (warehouse, *databases.values()):
                    postgres.drop_database(database)
