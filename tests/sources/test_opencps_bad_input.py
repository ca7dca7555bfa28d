"""What is wrong with a source stops its load with one clear error, and nothing is landed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from devstack.postgres import free_port
from lienthong.model.errors import (
    CollapsedExtractError,
    ContractError,
    LienThongError,
    SchemaDriftError,
    SourceAccessError,
    SourceUnreachableError,
    TransientError,
)
from lienthong.sources.contract_parts import ReadLimits, VolumeGuard
from lienthong.sources.kit.sql.database import reading
from lienthong.sources.profiles import profile_of
from tests.sources.conftest import KEYS, Province, connection_to, landed

DOSSIER, ACTION, FILE = "opencps_dossier", "opencps_dossieraction", "opencps_dossierfile"


def refused(province: Province, kind: type[LienThongError], load: Callable[[], object]) -> str:
    """The message of the error; nothing was landed by the failed load."""
    before = province.files()
    with pytest.raises(kind) as caught:
        load()
    message = str(caught.value)
    assert province.files() == before
    assert "source opencps_h17" in message
    assert f"load {province.loads}" in message
    assert "Next:" in message
    return message


def test_an_unreachable_source_is_worth_another_try(province: Province) -> None:
    gone = connection_to(province.url, port=free_port(), password="s3cret!")
    message = refused(province, SourceUnreachableError, lambda: province.load(connection=gone))
    assert issubclass(SourceUnreachableError, TransientError)
    assert "src_opencps_h17" in message
    assert "s3cret!" not in message


def test_wrong_credentials_are_not_tried_again(province: Province) -> None:
    stranger = connection_to(province.url, login="nobody_we_know", password="s3cret!")
    message = refused(province, SourceAccessError, lambda: province.load(connection=stranger))
    assert "src_opencps_h17" in message
    assert "s3cret!" not in message


def test_a_database_that_does_not_exist_is_a_fault_of_the_connection_not_of_the_account(province: Province) -> None:
    elsewhere = connection_to(province.url, schema="no_such_database")
    message = refused(province, ContractError, lambda: province.load(connection=elsewhere))
    assert "the server has no such database" in message
    assert "Next: correct the database (schema) of the connection." in message


def test_a_table_that_our_account_may_not_read_is_an_access_error(province: Province) -> None:
    province.run("DROP ROLE IF EXISTS half_a_reader")
    province.run("CREATE ROLE half_a_reader LOGIN")
    try:
        reader = connection_to(province.url, login="half_a_reader")
        for table in KEYS:
            if table != FILE:
                province.run(f"GRANT SELECT ON {table} TO half_a_reader")
        message = refused(province, SourceAccessError, lambda: province.load(connection=reader))
        assert f"lacks SELECT on {FILE}." in message
    finally:
        province.run("DROP OWNED BY half_a_reader")
        province.run("DROP ROLE half_a_reader")


def test_a_schema_that_our_account_may_not_use_is_an_access_error(province: Province) -> None:
    """PostgreSQL then lists none of its tables: they are not missing."""
    province.run("DROP ROLE IF EXISTS outside")
    province.run("CREATE ROLE outside LOGIN")
    province.run("REVOKE USAGE ON SCHEMA public FROM PUBLIC")
    try:
        outside = connection_to(province.url, login="outside")
        message = refused(province, SourceAccessError, lambda: province.load(connection=outside))
        assert f"lacks SELECT on {DOSSIER} (and USAGE on schema public), " in message
        seen = profile_of(province.contract).look(province.contract, outside, lambda: datetime.now(UTC))
        assert (len(seen.unreadable), seen.missing) == (9, ())
    finally:
        province.run("DROP ROLE outside")


def test_a_locked_table_ends_a_load_after_the_contract_s_time(province: Province) -> None:
    with province.engine.begin() as other:
        other.execute(sa.text(f"LOCK TABLE {FILE} IN ACCESS EXCLUSIVE MODE"))
        patient = ReadLimits(timeout_s=1)
        message = refused(province, SourceUnreachableError, lambda: province.load(read=patient))
    assert "kept us waiting for more than 1 s" in message
    assert "read.timeout_s" in message


def test_a_database_that_the_account_may_not_use_is_no_wrong_password(province: Province) -> None:
    name = sa.make_url(province.url).database
    province.run("DROP ROLE IF EXISTS no_reader")
    province.run("CREATE ROLE no_reader LOGIN")
    province.run(f"REVOKE CONNECT ON DATABASE {name} FROM PUBLIC")
    try:
        reader = connection_to(province.url, login="no_reader")
        message = refused(province, SourceAccessError, lambda: province.load(connection=reader))
        assert f"may not use the database '{name}'" in message
    finally:
        province.run("DROP ROLE no_reader")


def test_a_connection_that_is_no_database_is_named(province: Province) -> None:
    mistaken = connection_to(province.url, kind="http")
    message = refused(province, ContractError, lambda: province.load(connection=mistaken))
    assert "'http'" in message


def test_a_renamed_column_is_named_with_its_likely_new_name(province: Province) -> None:
    province.run('ALTER TABLE opencps_dossier RENAME COLUMN "receiveDate" TO "receivedDate"')
    message = refused(province, SchemaDriftError, province.load)
    assert "opencps_dossier.receiveDate (now perhaps receivedDate)" in message


def test_all_missing_columns_and_tables_are_named_at_once(province: Province) -> None:
    province.run('ALTER TABLE opencps_dossier DROP COLUMN "finishDate"')
    province.run("ALTER TABLE opencps_paymentfile RENAME TO opencps_payment_file")
    message = refused(province, SchemaDriftError, province.load)
    assert "column opencps_dossier.finishDate" in message
    assert "table opencps_paymentfile (now perhaps opencps_payment_file)" in message


def test_a_lost_column_that_the_contract_ignores_reads_as_unknown(province: Province) -> None:
    province.run('ALTER TABLE opencps_dossier DROP COLUMN "extendDate"')
    province.add(DOSSIER, 1, dueDate="2026-10-05 17:00:00")
    batch = province.load(ignore={"opencps_dossier": ("extendDate",)})
    row = next(iter(province.canonical(batch).values()))[0]
    assert row["due_at"].isoformat() == "2026-10-05T10:00:00+00:00"
    assert row["type_errors"] is None


def test_a_contract_can_not_ignore_what_nothing_works_without(province: Province) -> None:
    with pytest.raises(ContractError, match=r"opencps_dossier\.dossierStatus"):
        province.load(ignore={"opencps_dossier": ("dossierStatus",)})


def test_a_reference_table_that_a_province_lacks_can_be_declared_absent(province: Province) -> None:
    province.run("DROP TABLE opencps_dictitemmapping")
    refused(province, SchemaDriftError, province.load)
    assert "opencps_dictitemmapping" not in province.load(ignore={"opencps_dictitemmapping": ("*",)}).tables


def test_a_column_nobody_maps_is_reported_and_does_not_stop_the_load(province: Province) -> None:
    province.add(DOSSIER, 1)
    assert province.load().manifest.facts.unmapped_columns == {}
    province.run('ALTER TABLE opencps_dossier ADD COLUMN "zaloId" text, ADD COLUMN "kiosk" text')
    batch = province.load(ignore={"opencps_dossier": ("kiosk",)})
    assert batch.manifest.facts.unmapped_columns == {"opencps_dossier": ("zaloId",)}
    assert landed(batch, DOSSIER) == [1]
    check = profile_of(province.contract).check_schema(province.contract, province.connection)
    assert check == {"opencps_dossier": ("zaloId", "kiosk")}


#: What releases 2.2 to 3.1 have and the simulator's tables don't.
OF_SOME_RELEASE = {
    "opencps_dossier": ("postalCodeSend", "postalCodeReceived", "lastReceiveDate", "lastSendDate", "serviceLevel"),
    "opencps_serviceinfo": ("tagCode", "tagName"),
}


def test_the_columns_of_every_release_are_known(province: Province) -> None:
    for table, columns in OF_SOME_RELEASE.items():
        for column in columns:
            province.run(f'ALTER TABLE {table} ADD COLUMN "{column}" text')
    assert profile_of(province.contract).check_schema(province.contract, province.connection) == {}
    columns = {row["name"] for row in sa.inspect(province.engine).get_columns("opencps_dossier")}
    assert "dossierRegister" in columns


def test_names_are_found_whatever_their_case(province: Province) -> None:
    province.run('ALTER TABLE opencps_dossier RENAME COLUMN "dossierNo" TO dossierno')
    province.run("INSERT INTO opencps_dossier (\"dossierId\", dossierno) VALUES (1, 'X')")
    assert landed(province.load(), DOSSIER, "dossierNo") == ["X"]


def thirty_dossiers(province: Province) -> None:
    province.add(DOSSIER, *range(1, 31), modifiedDate="2026-10-20 08:00:00")
    province.add(FILE, *range(1, 31), dossierId=1, modifiedDate="2026-10-20 08:00:00")
    province.load()


@pytest.mark.parametrize("table", [DOSSIER, FILE])
def test_a_table_that_is_empty_all_of_a_sudden_stops_the_load(province: Province, table: str) -> None:
    thirty_dossiers(province)
    province.run(f"DELETE FROM {table}")
    message = refused(province, CollapsedExtractError, province.load)
    assert f"Table {table} is empty" in message


def test_an_overlap_that_lost_most_of_its_rows_stops_the_load(province: Province) -> None:
    thirty_dossiers(province)
    province.run('DELETE FROM opencps_dossier WHERE "dossierId" > 10')
    assert "of 30 rows" in refused(province, CollapsedExtractError, province.load)


def test_new_rows_do_not_hide_the_loss_of_old_ones(province: Province) -> None:
    thirty_dossiers(province)
    province.run('DELETE FROM opencps_dossier WHERE "dossierId" > 10')
    province.add(DOSSIER, *range(100, 200), modifiedDate="2026-10-20 09:00:00")
    refused(province, CollapsedExtractError, province.load)


def test_few_rows_may_go_and_rows_outside_the_window_do_not_count(province: Province) -> None:
    province.add(DOSSIER, *range(100, 200), modifiedDate="2026-01-01 08:00:00")
    thirty_dossiers(province)
    province.run('DELETE FROM opencps_dossier WHERE "dossierId" > 20')
    assert landed(province.load(), DOSSIER) == list(range(1, 21))


def test_an_emptied_mapping_table_is_a_collapse_too(province: Province) -> None:
    province.add("opencps_serviceinfomapping", 1, serviceCode="DNG-HT-03", serviceCodeDVCQG="1.004873")
    province.load()
    province.run("DELETE FROM opencps_serviceinfomapping")
    refused(province, CollapsedExtractError, province.load)


def test_a_loss_that_is_right_can_be_accepted(province: Province) -> None:
    thirty_dossiers(province)
    province.run("DELETE FROM opencps_dossierfile")
    assert landed(province.load(volume_guard=VolumeGuard(overlap_min_ratio=0)), DOSSIER) == list(range(1, 31))
    province.load()


def test_the_source_can_not_be_written_to(province: Province) -> None:
    with (
        pytest.raises(SourceAccessError, match="25006"),
        reading(province.connection, "opencps_h17") as source,
    ):
        source.connection.execute(sa.table("opencps_dossier").delete())


def test_a_source_that_dies_while_it_is_read_is_worth_another_try(province: Province) -> None:
    province.add(DOSSIER, *range(1, 6))

    def kill(table: str, rows: int) -> None:
        if table == DOSSIER:
            province.run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'lienthong' AND datname = current_database()"
            )

    refused(province, SourceUnreachableError, lambda: province.load(progress=kill))


def test_an_accepted_loss_of_the_whole_window_leaves_a_watermark_at_what_remains(province: Province) -> None:
    province.add(DOSSIER, 50, modifiedDate="2026-01-01 08:00:00")
    thirty_dossiers(province)
    province.run('DELETE FROM opencps_dossier WHERE "dossierId" <= 30')
    refused(province, CollapsedExtractError, province.load)
    province.load(volume_guard=VolumeGuard(overlap_min_ratio=0))
    mark = province.marks[DOSSIER]
    assert mark.modified_at is not None
    assert (mark.modified_at.isoformat(), mark.last_key, mark.overlap_rows) == ("2026-01-01T01:00:00+00:00", "50", 1)
