"""An OpenCPS database as provinces really have it: MariaDB, with MySQL's types, dates of nothing, rights and locks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from lienthong.model.codes import LoadMode
from lienthong.model.errors import (
    ContractError,
    LienThongError,
    SchemaDriftError,
    SourceAccessError,
    SourceUnreachableError,
)
from lienthong.model.kinds.dossier import Entity
from lienthong.onboarding.reach import unreachable
from lienthong.onboarding.scaffold import draft, scaffold, write_contract
from lienthong.sources.contract import SourceContract, load_contract
from lienthong.sources.contract_parts import ReadLimits
from lienthong.sources.kit.sql.database import reading
from lienthong.sources.kit.sql.rows_to_arrow import BATCH_BYTES
from lienthong.sources.profile import SourceSight, UnmappedCode, Window
from lienthong.sources.profiles import profile_of
from lienthong.sources.systems.opencps.tables import ENTITY_TABLES, REFERENCE_TABLES
from simulator.opencps import schema
from tests.mariadb import MariaServer
from tests.sources.conftest import REPO, Province, at, connection_to, landed

pytestmark = pytest.mark.xdist_group("mariadb")

DOSSIER, ACTION, FILE, FEE = "opencps_dossier", "opencps_dossieraction", "opencps_dossierfile", "opencps_paymentfile"
ZERO = "0000-00-00 00:00:00"
TABLES = [table.name.replace("dictitem", "dictItem") for table in (*ENTITY_TABLES.values(), *REFERENCE_TABLES)]


@pytest.fixture
def province(mariadb: MariaServer, contract: SourceContract, tmp_path: Path) -> Iterator[Province]:
    made = Province(mariadb.create_opencps(), contract, tmp_path / "landing")
    yield made
    made.engine.dispose()
    mariadb.drop_databases()


def now() -> datetime:
    return datetime.now(UTC)


def look(province: Province, **changes: Any) -> SourceSight:
    return profile_of(province.contract).look(province.contract, connection_to(province.url, **changes), now)


def read_as(province: Province, login: str, **changes: Any) -> LienThongError:
    """Why a load by this account fails; nothing is landed."""
    with pytest.raises(LienThongError) as caught:
        province.load(connection=connection_to(province.url, login=login, password=None), **changes)
    assert province.files() == []
    return caught.value


def granted(mariadb: MariaServer, province: Province, name: str, *left_out: str) -> str:
    """An account that may read every table but these."""
    database = sa.make_url(province.url).database
    return mariadb.create_account(
        name, *(f"SELECT ON {database}.{table}" for table in TABLES if table not in left_out)
    )  # fmt: skip


def test_columns_have_the_types_that_liferay_makes(province: Province) -> None:
    found = {column["name"]: column for column in sa.inspect(province.engine).get_columns(DOSSIER)}
    kinds = [found[name]["type"] for name in ("online_", "dueDate", "metaData")]
    assert [type(kind).__name__ for kind in kinds] == ["TINYINT", "DATETIME", "LONGTEXT"]
    assert kinds[1].fsp == 6
    assert [name for name, column in found.items() if not column["nullable"]] == [schema.primary_key(DOSSIER)]


def test_rows_come_as_they_are(province: Province) -> None:
    text = "Hồ sơ \"đất đai\"\nỞ\\\t𠀀 😀 'x'"
    province.add(
        DOSSIER, 9, modifiedDate="2026-10-01 08:00:00.123456", submitDate="2026-10-12 23:59:59", applicantName=text,
        online_=True, dossierNo="", metaData=json.dumps({"DSKetNoiCSDL": ["7"]}),
    )  # fmt: skip
    province.add(FEE, 2**62, dossierId=9, paymentAmount=2**60, paymentStatus=3, paymentMethod="KEYPAY")
    rows = province.canonical(province.load())
    dossier, fee = rows[Entity.DOSSIER][0], rows[Entity.FEE][0]
    assert dossier["applicant_name"] == text
    assert dossier["submitted_at"] == at("2026-10-12T16:59:59+00:00")
    assert dossier["source_modified_at"] == at("2026-10-01T01:00:00.123456+00:00")
    assert (dossier["channel"], dossier["dossier_code"], dossier["database_codes"]) == (2, None, ["7"])
    assert (fee["child_key"], fee["amount"], fee["paid"]) == (str(2**62), 2**60, True)
    assert {row["type_errors"] for entity in rows for row in rows[entity]} == {None}


def test_a_number_that_is_not_zero_is_true(province: Province) -> None:
    province.add(DOSSIER, 1, online_=2)
    province.add(DOSSIER, 2, online_=0)
    province.add(FILE, 1, dossierId=1, removed=2)
    batch = province.load()
    rows = province.canonical(batch)
    assert [row["channel"] for row in rows[Entity.DOSSIER]] == [2, 1]
    assert [(row["removed"], row["type_errors"]) for row in rows[Entity.DOCUMENT]] == [(True, None)]


def test_a_date_of_nothing_is_null_and_told_never_an_error(province: Province) -> None:
    province.add(DOSSIER, 1, dueDate=ZERO, extendDate=ZERO, receiveDate="2026-10-01 08:00:00")
    province.add(DOSSIER, 2, dueDate="2026-10-05 17:00:00", extendDate=ZERO)
    province.add(ACTION, 1, dossierId=1, dueDate=ZERO)
    batch = province.load()
    rows = province.canonical(batch)
    assert [(row["due_at"], row["type_errors"]) for row in rows[Entity.DOSSIER]] == [
        (None, None),
        (at("2026-10-05T10:00:00+00:00"), None),
    ]
    assert [(row["due_at"], row["type_errors"]) for row in rows[Entity.STEP]] == [(None, None)]
    assert profile_of(province.contract).unmapped_codes(province.contract, batch) == [
        UnmappedCode("zero_date", f"{DOSSIER}.extendDate", 2),
        UnmappedCode("zero_date", f"{DOSSIER}.dueDate", 1),
        UnmappedCode("zero_date", f"{ACTION}.dueDate", 1),
    ]


def test_a_row_modified_at_no_date_is_read_every_time_and_moves_no_watermark(province: Province) -> None:
    province.add(DOSSIER, 1, modifiedDate=ZERO)
    province.load()
    assert province.marks[DOSSIER].modified_at is None
    province.add(DOSSIER, 2, 3, modifiedDate="2026-10-01 08:00:00")
    province.load()
    province.add(DOSSIER, 4, modifiedDate="2026-10-20 08:00:00")
    assert landed(province.load(), DOSSIER) == [1, 2, 3, 4]
    assert landed(province.load(), DOSSIER) == [1, 4]
    assert province.marks[DOSSIER].modified_at == at("2026-10-20T01:00:00+00:00")


def test_dates_of_nothing_among_the_newest_rows_stop_neither_check_nor_add(province: Province, tmp_path: Path) -> None:
    province.add(DOSSIER, 1, modifiedDate="2026-10-01 08:00:00", receiveDate="2026-10-01 08:00:00")
    province.add(DOSSIER, 2, modifiedDate=ZERO, receiveDate=ZERO)
    seen = look(province)
    assert next(table for table in seen.tables if table.name == DOSSIER).newest_at == at("2026-10-01T01:00:00+00:00")
    assert (sum(seen.hours), len(seen.days)) == (1, 1)
    made = added(province, tmp_path)
    assert made.codes.originality["-3"] == "removed"
    assert profile_of(made).check_schema(made, province.connection) == {}


def added(province: Province, folder: Path) -> SourceContract:
    first = draft("opencps_new", "opencps", "H17", "src_new", {}, REPO / "include" / "registry" / "provinces.csv")
    path = folder / "opencps_new.yaml"
    write_contract(path, scaffold(first, province.connection, {}, now).text, force=True)
    return load_contract(path)


def test_a_mapping_holds_for_its_own_group_only(province: Province) -> None:
    for key, (group, code) in enumerate([(55301, "4"), (20143, "9")], start=1):
        province.add(DOSSIER, key, groupId=group, dossierStatus="odd", serviceCode="HT-03")
        province.add("opencps_dossierstatusmapping", key, groupId=group, statusCode="odd", statusCodeDVCQG=code)
        province.add("opencps_serviceinfomapping", key, groupId=group, serviceCode="HT-03",
                     serviceCodeDVCQG=f"1.00000{key}")  # fmt: skip
    rows = province.canonical(province.load())[Entity.DOSSIER]
    assert [(row["status"], row["procedure_code"]) for row in rows] == [(4, "1.000001"), (9, "1.000002")]


def test_a_look_tells_what_there_is_and_what_we_may_do(province: Province, mariadb: MariaServer) -> None:
    province.add(DOSSIER, 1, 2)
    province.add(FILE, 1, 2, 3, dossierId=1, dossierPartType=7)
    seen = look(province)
    assert seen.server.startswith("MariaDB 1")
    assert seen.clock_ahead is not None
    assert abs(seen.clock_ahead) < timedelta(minutes=1)
    assert (seen.missing, seen.unreadable, dict(seen.unmapped_columns)) == ((), (), {})
    assert {table.name: table.indexed for table in seen.tables}[DOSSIER] is False
    assert "dossierPartType 7" in seen.remarks[0]
    assert "coi là thành phần hồ sơ" in seen.remarks[0]
    assert any("INSERT" in right for right in seen.may_write or ())
    reader = look(province, login=granted(mariadb, province, "just_a_reader"), password=None)
    assert (reader.may_write, reader.unreadable) == ((), ())


def test_a_table_without_select_is_told_as_such_and_never_as_missing(
    province: Province, mariadb: MariaServer, tmp_path: Path
) -> None:
    account = granted(mariadb, province, "half_a_reader", FEE)
    error = read_as(province, account)
    assert isinstance(error, SourceAccessError)
    assert f"lacks SELECT on {FEE}." in error.what
    assert "ignore" not in error.next_step
    seen = look(province, login=account, password=None)
    assert (seen.missing, seen.unreadable) == ((), (FEE,))
    province.url = sa.make_url(province.url).set(username=account, password=None).render_as_string()
    with pytest.raises(SourceAccessError, match=f"lacks SELECT on {FEE}"):
        added(province, tmp_path)


def test_a_right_on_some_columns_only_is_no_right_to_read_the_table(province: Province, mariadb: MariaServer) -> None:
    account = granted(mariadb, province, "some_columns", FILE)
    database = sa.make_url(province.url).database
    mariadb.run("", f"GRANT SELECT (dossierFileId, dossierId) ON {database}.{FILE} TO {account}@'%'")
    assert f"lacks SELECT on {FILE}." in read_as(province, account).what


def test_a_table_that_is_not_there_is_missing_for_who_may_read_all(province: Province) -> None:
    province.run(f"DROP TABLE {FEE}")
    with pytest.raises(SchemaDriftError, match=f"table {FEE}"):
        province.load()
    assert look(province).unreadable == ()


def test_a_database_that_the_account_may_not_use_is_no_wrong_password(province: Province, mariadb: MariaServer) -> None:
    error = read_as(province, mariadb.create_account("no_reader"))
    assert isinstance(error, SourceAccessError)
    assert f"may not use the database '{sa.make_url(province.url).database}'" in error.what
    assert "login and password are right" in error.next_step
    line = unreachable(province.contract, error)
    assert "không có quyền trên cơ sở dữ liệu" in line.text
    assert "sai tài khoản" not in line.text


def test_a_wrong_log_in_and_a_wrong_database_are_told_apart(province: Province) -> None:
    stranger = read_as(province, "nobody_we_know")
    assert isinstance(stranger, SourceAccessError)
    assert "sai tài khoản" in unreachable(province.contract, stranger).text
    with pytest.raises(ContractError, match="no such database"):
        province.load(connection=connection_to(province.url, schema="no_such_database"))


def test_a_load_sees_the_source_at_one_instant(province: Province) -> None:
    province.add(DOSSIER, 1, 2)

    def meanwhile(table: str, rows: int) -> None:
        if table == DOSSIER and rows == 1:
            province.add(DOSSIER, 3)
            province.add(ACTION, 1, dossierId=2)

    batch = province.load(read=ReadLimits(page_rows=1), progress=meanwhile)
    assert (landed(batch, DOSSIER), landed(batch, ACTION)) == ([1, 2], [])
    assert landed(province.load(), ACTION) == [1]


def test_a_locked_table_ends_a_load_after_the_contract_s_time(province: Province) -> None:
    province.add(DOSSIER, 1)
    with province.engine.connect() as other:
        other.exec_driver_sql(f"LOCK TABLES {FILE} WRITE")
        with pytest.raises(SourceUnreachableError, match="kept us waiting for more than 1 s") as caught:
            province.load(read=ReadLimits(timeout_s=1))
        other.exec_driver_sql("UNLOCK TABLES")
    assert "read.timeout_s" in caught.value.next_step
    assert "bị khóa" in unreachable(province.contract, caught.value).text
    assert province.files() == []
    assert landed(province.load(), DOSSIER) == [1]


def test_the_server_itself_ends_a_statement_that_takes_too_long(province: Province) -> None:
    with reading(province.connection, "opencps_h17", timeout_s=7) as source:
        assert float(source.connection.exec_driver_sql("SELECT @@max_statement_time").scalar_one()) == 7.0


def test_wide_rows_are_held_a_few_at_a_time(province: Province) -> None:
    """80 KB of form data a row: 300 of them would be one batch of `fetch_rows`."""
    width, rows = 80_000, 300
    province.add(DOSSIER, 1)
    province.add(FILE, *range(1, rows + 1), dossierId=1, formData=json.dumps({"x": "ă" * width}, ensure_ascii=False))
    seen: list[int] = [0]

    def note(table: str, landed_so_far: int) -> None:
        if table == FILE:
            seen.append(landed_so_far)

    batch = province.load(progress=note)
    sizes = [after - before for before, after in pairwise(seen)]
    assert sum(sizes) == rows == len(landed(batch, FILE))
    assert max(sizes) * width <= BATCH_BYTES + 16 * width


def test_the_source_can_not_be_written_to(province: Province) -> None:
    with pytest.raises(LienThongError), reading(province.connection, "opencps_h17") as source:
        source.connection.execute(sa.table(DOSSIER).delete())


def test_loads_take_everything_then_what_changed_then_a_window(province: Province) -> None:
    province.add(DOSSIER, *range(1, 8), modifiedDate="2026-10-01 08:00:00")
    province.add(ACTION, *range(1, 8), dossierId=3, modifiedDate="2026-10-01 08:00:00")
    small = ReadLimits(page_rows=2, key_rows=3, fetch_rows=2)
    first = province.load(read=small)
    assert (landed(first, DOSSIER), landed(first, ACTION)) == (list(range(1, 8)), list(range(1, 8)))
    province.add(DOSSIER, 8, modifiedDate="2020-01-01 08:00:00")  # imported with an old date
    province.run(
        f"UPDATE {ACTION} SET modifiedDate = '2026-10-20 08:00:00.5', stepName = 'x' WHERE dossierActionId = 5"
    )
    for table in (DOSSIER, ACTION):  # the overlap of the first load has passed
        province.marks = {**province.marks, table: _later(province, table)}
    changed = province.load(read=small)
    assert (landed(changed, DOSSIER), landed(changed, ACTION)) == ([3, 8], list(range(1, 8)))
    window = Window(at("2019-12-31T17:00:00+00:00"), at("2020-01-02T00:00:00+00:00"))
    assert landed(province.load(LoadMode.RANGE, window), DOSSIER) == [8]
    assert landed(province.load(LoadMode.FULL, read=small), DOSSIER) == list(range(1, 9))


def _later(province: Province, table: str) -> Any:
    return replace(province.marks[table], modified_at=at("2026-10-10T00:00:00+00:00"), overlap_rows=0)


def test_a_server_that_is_killed_while_it_is_read_is_worth_another_try(
    province: Province, mariadb: MariaServer
) -> None:
    own = mariadb.own
    if own is None:
        pytest.skip("the server is not ours to kill")
    province.add(DOSSIER, *range(1, 6))
    province.engine.dispose()

    def kill(table: str, rows: int) -> None:
        if table == DOSSIER:
            own.kill()

    with pytest.raises(SourceUnreachableError):
        province.load(progress=kill)
    assert province.files() == []
    with pytest.raises(SourceUnreachableError, match="2003"):
        province.load()
    own.start()
    assert landed(province.load(), DOSSIER) == [1, 2, 3, 4, 5]
