"""OpenCPS on its bench: a province's database in PostgreSQL or MariaDB, behind a tap."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
import sqlalchemy as sa

from devstack.postgres import Postgres
from lienthong.connections import Connection
from lienthong.model.periods import BUSINESS_ZONE
from simulator.opencps import schema
from simulator.opencps.install import DOSSIER_TABLES, install
from simulator.opencps.rows import Row, rows_of
from tests.mariadb import MariaServer, copy_opencps
from tests.sources.conformance.bench import SECRET, Bench, Fact, Habit, Passage, Truth, Verdict
from tests.sources.conformance.simulated import (
    a_day,
    at_rest,
    by_fact,
    imported_with_an_old_date,
    sound_world,
    truth_of,
)
from tests.sources.conformance.tcp_tap import TcpTap
from tests.sources.conftest import connection_to

TENANT, DOSSIER, KEY, MODIFIED = "H17", "opencps_dossier", "dossierId", "modifiedDate"
#: Only a page of whole dossiers asks for this column.
_PAGE = re.compile(r"applicantName.*FROM opencps_dossier\b", re.DOTALL)
_LIMIT, _OWNERS = re.compile(r"LIMIT (\d+)"), re.compile(r'dossierId"? IN \(([^)]*)\)')
_SNAPSHOT = "pages go by primary key inside one snapshot of the database: no row can slide from one to another"


class OpenCpsBench(Bench):
    """`url`: a database of this bench's own that holds the world as it begins."""

    profile = "opencps"
    source_id = "opencps_h17"
    texts = ("applicant_name", "abstract", "agency_name")
    new_key = "opencps_dossier.soNhaMoi"
    habits: ClassVar[Mapping[Fact, Habit]] = {
        Fact.REPEATED: Habit(Verdict.IMPOSSIBLE, _SNAPSHOT),
        Fact.SHIFTED: Habit(Verdict.IMPOSSIBLE, _SNAPSHOT),
        Fact.ERROR_PAGE: Habit(Verdict.IMPOSSIBLE, "no proxy speaks a database's protocol"),
        Fact.EXPIRED: Habit(Verdict.IMPOSSIBLE, "a database's log-in lasts as long as its connection"),
    }
    _columns: ClassVar[Mapping[str, str]] = {
        "applicant_name": "applicantName",
        "abstract": "briefNote",
        "agency_name": "govAgencyName",
        "status": "dossierStatus",
    }

    def __init__(self, folder: Path, url: str) -> None:
        super().__init__(folder)
        self.engine = sa.create_engine(url, poolclass=sa.NullPool)
        address = sa.make_url(url)
        self.tap: TcpTap = TcpTap(address.host or "127.0.0.1", int(address.port or 0))
        self.world = sound_world(TENANT)
        self.gone: set[int] = set()
        self.busy: set[int] = set()
        self._held = {plan.dossier_id: self._rows(plan.dossier_id) for plan in self.world.plans[TENANT]}
        self._writes = 0
        self._ahead: timedelta | None = None
        self._lost: dict[int, Any] = {}

    def __enter__(self) -> OpenCpsBench:
        self.tap.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.tap.__exit__()
        self.engine.dispose()

    @property
    def connection(self) -> Connection:
        return replace(connection_to(self.engine.url.render_as_string(False)), host="127.0.0.1", port=self.tap.port)

    @property
    def wrong_connection(self) -> Connection:
        return replace(self.connection, login="nobody", password=SECRET)

    def true(self) -> Truth:
        plans = [plan for plan in self.world.plans[TENANT] if plan.dossier_id not in self.gone]
        return truth_of(
            self.world, plans, lambda plan: str(plan.dossier_id), numbered_early=False, results_removable=True
        )

    def is_page(self, passage: Passage) -> bool:
        return _PAGE.search(passage.what) is not None

    def page_size(self, passage: Passage) -> int:
        limit, owners = _LIMIT.search(passage.what), _OWNERS.search(passage.what)
        return int(limit.group(1)) if limit else len(owners.group(1).split(",")) if owners else 10**9

    # What happens ------------------------------------------------------------------------------------------------

    def day(self) -> Mapping[Fact, Sequence[str]]:
        changes = a_day(self.world, TENANT)
        self.busy |= {change.dossier_id for change in changes}
        self._show(self.busy)
        return by_fact(changes, str)

    def change(self) -> str:
        self._writes += 1
        return self.write("abstract", f"Nội dung sửa lần {self._writes}")

    def import_old(self) -> str:
        plan = imported_with_an_old_date(self.world, TENANT)
        self.busy.add(plan.dossier_id)
        self._show([plan.dossier_id])
        return str(plan.dossier_id)

    def bin(self) -> str:
        """The sign of `originality` is flipped."""
        key = self._set({"originality": -3})
        word = self._held[int(key)][DOSSIER][0]["dossierStatus"]
        self.said[key] = {"status": None, "status_raw": f"{word} (originality -3)"}
        return key

    def remove(self) -> str:
        plan = at_rest(self.world, TENANT, self.busy)
        self._remove([plan.dossier_id])
        return str(plan.dossier_id)

    def remove_most(self) -> None:
        newest = sorted(self.world.plans[TENANT], key=lambda plan: -plan.modified)
        self._remove([plan.dossier_id for plan in newest[:-2]])

    def remove_all(self) -> None:
        self._remove([plan.dossier_id for plan in self.world.plans[TENANT]])

    def write(self, field: str, text: str) -> str:
        return self.note(self._set({self._columns[field]: text}), field, text)

    def drift(self, fact: Fact) -> None:
        if fact is Fact.NEW_KEY:
            self._run(f"ALTER TABLE {DOSSIER} ADD COLUMN {self._quoted('soNhaMoi')} varchar(20)")
        elif fact is Fact.RENAMED_KEY:
            self._run(
                f"ALTER TABLE {DOSSIER} RENAME COLUMN {self._quoted('contactTelNo')} TO {self._quoted('contactPhone')}"
            )
        else:
            self._run(f"ALTER TABLE {DOSSIER} DROP COLUMN {self._quoted('contactTelNo')}")
        self._drifted = fact

    def undo_drift(self) -> None:
        if self._drifted is Fact.NEW_KEY:
            self._run(f"ALTER TABLE {DOSSIER} DROP COLUMN {self._quoted('soNhaMoi')}")
        elif self._drifted is Fact.RENAMED_KEY:
            self._run(
                f"ALTER TABLE {DOSSIER} RENAME COLUMN {self._quoted('contactPhone')} TO {self._quoted('contactTelNo')}"
            )
        else:
            self._run(f"ALTER TABLE {DOSSIER} ADD COLUMN {self._quoted('contactTelNo')} varchar(128)")
            for number, rows in self._held.items():
                self._update(number, {"contactTelNo": rows[DOSSIER][0]["contactTelNo"]})

    def turn_clock(self, ahead: timedelta) -> None:
        self._ahead = ahead
        self.tap.clock_ahead = ahead

    # In the database -----------------------------------------------------------------------------------------------

    def _set(self, values: Row) -> str:
        """Columns of a dossier at rest get other values, and it is modified now; its key."""
        plan = at_rest(self.world, TENANT, self.busy)
        self._update(plan.dossier_id, values | {MODIFIED: self._now()})
        return str(plan.dossier_id)

    def _now(self) -> datetime:
        """The system's time without a zone: after all that happened, or by its clock once that was turned."""
        self._moments = getattr(self, "_moments", 0) + 1
        if self._ahead is not None:
            return (datetime.now(BUSINESS_ZONE) + self._ahead).replace(tzinfo=None, microsecond=0)
        newest = max(plan.modified for plan in self.world.plans[TENANT])
        return datetime(1970, 1, 1) + timedelta(seconds=newest + self._moments)

    def _update(self, number: int, values: Row) -> None:
        table = sa.table(DOSSIER, *(sa.column(name) for name in {*values, KEY}))
        with self.engine.begin() as connection:
            connection.execute(sa.update(table).where(table.c[KEY] == number).values(values))

    def _rows(self, number: int) -> dict[str, list[Row]]:
        return rows_of(self.world.facts(self.world.plan(TENANT, number)), self.world.catalogue)

    def _show(self, numbers: Any) -> None:
        """Bring these dossiers' rows up to the world; rows that did not change are left alone."""
        with self.engine.begin() as connection:
            for number in sorted(numbers):
                fresh, held = self._rows(number), self._held.get(number, {})
                for name in DOSSIER_TABLES:
                    changed = [row for row in fresh[name] if row not in held.get(name, [])]
                    key = schema.primary_key(name)
                    table = sa.table(name, *(sa.column(column) for column in schema.columns(name)))
                    for row in changed:
                        connection.execute(sa.delete(table).where(table.c[key] == row[key]))
                        connection.execute(sa.insert(table).values(row))
                self._held[number] = deepcopy(fresh)

    def _remove(self, numbers: Sequence[int]) -> None:
        self.gone |= set(numbers)
        with self.engine.begin() as connection:
            for name in DOSSIER_TABLES:
                owner = sa.table(name, sa.column(KEY))
                connection.execute(sa.delete(owner).where(owner.c[KEY].in_(numbers)))

    def _run(self, statement: str) -> None:
        with self.engine.begin() as connection:
            connection.exec_driver_sql(statement)

    def _quoted(self, name: str) -> str:
        return self.engine.dialect.identifier_preparer.quote_identifier(name)


class OpenCpsOnPostgres(OpenCpsBench):
    name = "opencps on PostgreSQL"
    habits: ClassVar[Mapping[Fact, Habit]] = {
        **OpenCpsBench.habits,
        Fact.NUL: Habit(Verdict.IMPOSSIBLE, "text of PostgreSQL can't hold one"),
    }


class OpenCpsOnMariaDb(OpenCpsBench):
    name = "opencps on MariaDB"


def installed(request: pytest.FixtureRequest) -> str:
    """A database with the world as it begins, made once per test process; its name."""
    postgres: Postgres = request.getfixturevalue("postgres")
    name = "conformance_opencps"
    if name not in _made:
        postgres.drop_database(name)
        postgres.create_database(name)
        install(sound_world(TENANT), TENANT, postgres.url(name))
        _made.add(name)
    return name


_made: set[str] = set()


@contextmanager
def on_postgres(request: pytest.FixtureRequest, folder: Path) -> Iterator[Bench]:
    postgres: Postgres = request.getfixturevalue("postgres")
    name = f"conformance_{folder.name}".replace("-", "_")
    postgres.drop_database(name)
    postgres.create_database(name, installed(request))
    with OpenCpsOnPostgres(folder, postgres.url(name)) as bench:
        yield bench
    postgres.drop_database(name)


@contextmanager
def on_mariadb(request: pytest.FixtureRequest, folder: Path) -> Iterator[Bench]:
    mariadb: MariaServer = request.getfixturevalue("mariadb")
    postgres: Postgres = request.getfixturevalue("postgres")
    url = mariadb.create_opencps()
    copy_opencps(postgres.url(installed(request)), url)
    with OpenCpsOnMariaDb(folder, url) as bench:
        yield bench
    name = str(sa.make_url(url).database)
    mariadb.run("", f"DROP DATABASE IF EXISTS {name}")
    mariadb.databases.remove(name)
