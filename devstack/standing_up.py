"""Bringing the stack of `make up` about, whatever runs already: what is healthy stays, what died is started again."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from devstack.airflow import GRACES
from devstack.journey import Journey
from devstack.logins import prepare_warehouse
from devstack.outside import WorldOptions
from devstack.ports import free_block, holder, is_free
from devstack.postgres import free_port
from devstack.processes import end_all
from devstack.progress import Stages
from devstack.standing import METADATA, WAREHOUSE, Standing
from devstack.standing_settings import WORLD_PORTS, Settings, Wishes, first_world
from devstack.warehouse_view import deliveries


class StandingError(RuntimeError):
    """The stack can't be started as asked; the message says what to do next."""


class Rising:
    """One `make up`."""

    def __init__(self, standing: Standing, stages: Stages) -> None:
        self._standing = standing
        self._stages = stages
        self._undo: list[Callable[[], None]] = []

    def rise(self, wishes: Wishes) -> list[str]:
        """Start what doesn't run and return its names, once all of it is healthy.

        When that fails or is interrupted, what was started here is ended; what ran before stays.
        """
        try:
            return self._rise(wishes)
        except BaseException:
            for undo in reversed(self._undo):
                undo()
            raise

    def seed(self, settings: Settings) -> bool:
        """Take the data all the way once, so that there is something to see; False when that was done before."""
        standing, airflow = self._standing, self._standing.airflow(settings)
        if standing.seeded_file.exists():
            return False
        processor = next(child for child in airflow.children if child.name == "dag-processor")
        journey = Journey(
            airflow.api, standing.outside.finish().syncs, self._stages,
            since=processor.since or datetime.now(UTC), watch=standing.check, deliveries=deliveries, moves_on=True,
        )  # fmt: skip
        world = standing.outside.world()
        journey.travel(str(world.month if world else None))
        for dag in airflow.api.dags():
            airflow.api.pause(dag.dag_id, False)
        standing.seeded_file.touch()
        return True

    def _rise(self, wishes: Wishes) -> list[str]:
        standing = self._standing
        settings = Settings.settle(standing.settings, wishes)
        world = self._world(wishes.world)
        self._need_port(settings.port)
        with self._stages.stage("PostgreSQL"):
            started = self._begin_postgres()
        with self._stages.stage("Thế giới mô phỏng (hệ thống của các tỉnh, Cổng quốc gia) và kho dữ liệu"):
            settings, begun = self._begin_world(settings, world)
        with self._stages.stage("Airflow: api-server, scheduler, dag-processor, triggerer"):
            return started + begun + self._begin_airflow(settings)

    def _world(self, wished: WorldOptions) -> WorldOptions:
        kept = self._standing.outside.world()
        if kept is None:
            return first_world(wished, datetime.now(UTC))
        if wished.asks_for_another_than(kept):
            raise StandingError(
                f"Thế giới mô phỏng đang giữ: size {kept.size}, seed {kept.seed}, tháng {kept.month}. "
                "Tiếp theo: bỏ SIZE, SEED, MONTH để dùng tiếp, hoặc xoá nó bằng `make up-clean` rồi chạy lại."
            )
        return kept

    def _need_port(self, port: int) -> None:
        """StandingError unless the port is free or ours."""
        last = self._standing.settings
        if is_free(port) or (last and last.port == port and self._standing.airflow(last).children[0].pid):
            return
        found = holder(port)
        who = f"tiến trình {found.pid} ({found.name()})" if found else "một tiến trình của người dùng khác"
        look = f"dừng nó (xem nó là gì: ps -fp {found.pid})" if found else "dừng nó"
        raise StandingError(
            f"Cổng {port} đang do {who} giữ. Tiếp theo: {look}, hoặc chọn cổng khác: make up PORT={free_port()}."
        )

    def _begin_postgres(self) -> list[str]:
        server = self._standing.postgres
        if runs := server.is_running():
            port = server.port
        else:
            self._undo.append(server.stop)
            port = server.port if (server.home / "port").exists() else 0
            server.start()
        if port != server.port:
            self._standing.outside.stop()  # it holds on to an address that is no longer true
        for name in (WAREHOUSE, METADATA):
            server.create_database(name)
        return [] if runs else ["postgresql"]

    def _begin_world(self, settings: Settings, world: WorldOptions) -> tuple[Settings, list[str]]:
        """The world, Airflow's database and the warehouse come up side by side."""
        standing, begun = self._standing, []
        if not standing.world_answers():
            standing.outside.stop()
            if not all(is_free(port) for port in settings.world_ports):
                settings = replace(settings, world_port=free_block(WORLD_PORTS))
        standing.keep(settings)
        airflow = standing.airflow(settings)
        airflow.prepare()
        self._undo.append(airflow.cancel_migration)
        airflow.begin_migration()
        if not standing.outside.child.pid:
            self._undo.append(standing.outside.stop)
            standing.outside.begin(standing.postgres.url(METADATA), world, os.environ, settings.serving())
            begun.append("simulator")
        prepare_warehouse(standing.postgres, WAREHOUSE)
        standing.outside.finish()
        airflow.finish_migration()
        return settings, begun

    def _begin_airflow(self, settings: Settings) -> list[str]:
        standing = self._standing
        airflow = standing.airflow(settings, standing.environment(settings))
        told = standing.fingerprint_file.read_text() if standing.fingerprint_file.exists() else ""
        if told != airflow.fingerprint:
            airflow.stop()  # what runs has read something else when it was started
        standing.tell(airflow)
        missing = [child for child in airflow.children if not child.pid]
        self._undo.append(lambda: end_all(missing, GRACES))
        standing.fingerprint_file.parent.mkdir(parents=True, exist_ok=True)
        standing.fingerprint_file.write_text(airflow.fingerprint)
        airflow.begin()
        airflow.wait_healthy()
        return [child.name for child in missing]
