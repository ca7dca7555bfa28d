"""Bad input: one clear error, the other source goes on, the data stays as it was, the next good run catches up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import Connection
from typer.testing import CliRunner

from lienthong.cli import app
from lienthong.model.errors import (
    BusyError,
    ContractError,
    LandingCorruptError,
    LienThongError,
    NotReadyError,
    PortalAccessError,
    SchemaDriftError,
    SourceAccessError,
    WarehouseRefusedError,
)
from lienthong.model.periods import BUSINESS_ZONE
from lienthong.pipeline.load import extract, gate, merge, open_load, stage
from lienthong.pipeline.push import push
from lienthong.pipeline.runtime import Runtime
from lienthong.pipeline.score import score
from lienthong.warehouse.engine import engine_for
from lienthong.warehouse.ledger import Load
from tests.world import Live

SOURCE, OTHER = "opencps_h17", "opencps_h26"


def breaks(live: Live, kind: type[LienThongError], *words: str) -> None:
    """The next load of SOURCE fails with one clear error, changes nothing, and does not stop the other source."""
    before = live.contents()
    with pytest.raises(kind) as caught:
        live.load(SOURCE)
    message = str(caught.value)
    assert f"source {SOURCE}" in message
    assert "load " in message
    assert "Next: " in message
    for word in words:
        assert word in message
    assert live.contents() == before
    [(error,)] = live.rows("SELECT error FROM ops.load ORDER BY load_id DESC LIMIT 1")
    assert error.endswith(message), "the ledger keeps the words"
    assert live.load(OTHER)["dossier"]["unchanged"] > 0


def unreachable(live: Live) -> None:
    live.connections["src_opencps_h17"] = replace(live.connections["src_opencps_h17"], port=1)


def test_wrong_credentials_are_told_without_the_password(loaded: Live) -> None:
    good = loaded.connections["src_opencps_h17"]
    loaded.connections["src_opencps_h17"] = replace(good, login="nobody_we_know", password="s3cret-word")
    breaks(loaded, SourceAccessError)
    [(error,)] = loaded.rows("SELECT error FROM ops.load WHERE error IS NOT NULL")
    assert "s3cret-word" not in error


def test_a_missing_permission_names_the_table(loaded: Live) -> None:
    loaded.at_source(
        "H17",
        "DROP OWNED BY meagre CASCADE"
        if loaded.rows("SELECT 1 FROM pg_roles WHERE rolname = 'meagre'")
        else "SELECT 1",
        "DROP ROLE IF EXISTS meagre",
        "CREATE ROLE meagre LOGIN",
        "GRANT SELECT ON opencps_dossier TO meagre",
    )
    loaded.connections["src_opencps_h17"] = replace(loaded.connections["src_opencps_h17"], login="meagre")
    breaks(loaded, SourceAccessError)
    loaded.at_source("H17", "DROP OWNED BY meagre CASCADE", "DROP ROLE meagre")


def test_a_renamed_column_is_named_with_its_likely_new_name(loaded: Live) -> None:
    loaded.at_source("H17", 'ALTER TABLE opencps_dossier RENAME COLUMN "receiveDate" TO "receivedDate"')
    breaks(loaded, SchemaDriftError, "receiveDate", "receivedDate")
    loaded.at_source("H17", 'ALTER TABLE opencps_dossier RENAME COLUMN "receivedDate" TO "receiveDate"')
    assert loaded.load(SOURCE)["dossier"]["unchanged"] > 0


def test_an_unknown_status_word_is_a_finding(loaded: Live) -> None:
    kinds = {kind for (kind,) in loaded.rows("SELECT DISTINCT kind FROM ops.finding")}
    assert "status" in kinds


def test_what_people_type_where_a_code_belongs_is_told_without_the_person(
    loaded: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = ("Nguyễn Thị Hoa 0905123456", "TRẦN VĂN BÌNH, 048190001234", "dang_cho_ky [/red] \x1b[2J")
    for number, word in enumerate(typed):
        loaded.at_source(
            "H17",
            f"""UPDATE opencps_dossier SET "dossierStatus" = '{word}', "dossierSubStatus" = NULL,
            "serviceCode" = '{word}', "modifiedDate" = (SELECT max("modifiedDate") FROM opencps_dossier)
            WHERE "dossierId" = (SELECT "dossierId" FROM opencps_dossier ORDER BY 1 DESC OFFSET {number} LIMIT 1)""",
        )
    loaded.load(SOURCE)
    found = set(loaded.rows("SELECT kind, name FROM ops.finding WHERE source_id = :source", source=SOURCE))
    for kind in ("status", "procedure"):
        assert {(kind, "… …"), (kind, "…, …"), (kind, typed[2])} <= found
    monkeypatch.setattr(Runtime, "from_environment", classmethod(lambda _: loaded.rt))
    monkeypatch.setenv("COLUMNS", "200")
    told = CliRunner().invoke(app, ["status", SOURCE, "--all"]).output
    assert "[/red]" in told
    assert "\ufffd" in told
    checked = CliRunner().invoke(app, ["source", "check", SOURCE]).output
    assert "dang_cho_ky [/red] \ufffd[2J" in checked
    for shown in (told, checked, repr(found)):
        assert not [one for one in ("Nguyễn", "TRẦN", "0905", "0481", "\x1b") if one in shown]


def test_one_nul_inside_json_stops_nothing(loaded: Live) -> None:
    [(key,)] = loaded.rows(
        "SELECT max(source_key) FROM dossier.source_record WHERE source_id = :id AND blocked_reasons = '{}'", id=SOURCE
    )
    loaded.at_source(
        "H17",
        r"""UPDATE opencps_dossier SET "metaData" = '{"DSKetNoiCSDL": ["7\u0000x"]}' """
        f'WHERE "dossierId" = {key}',
        'UPDATE opencps_dossier SET "modifiedDate" = (SELECT max("modifiedDate") FROM opencps_dossier) '
        f'WHERE "dossierId" = {key}',
    )
    assert loaded.load(SOURCE)["dossier"]["updated"] == 1
    codes = "SELECT database_codes FROM dossier.source_record WHERE source_id = :id AND source_key = :key"
    assert loaded.rows(codes, id=SOURCE, key=key) == [(["7x"],)]


@pytest.mark.parametrize(
    ("statement", "kind", "raised", "words"),
    [
        ("SELECT 'Lê Văn A'::integer", WarehouseRefusedError, "SQLSTATE 22P02", "InvalidTextRepresentation, SQLSTATE"),
        ("", KeyError, "Lê Văn A", "KeyError"),
    ],
)
def test_an_error_that_nobody_foresaw_is_a_failed_load_and_its_words_are_not_kept(
    loaded: Live, monkeypatch: pytest.MonkeyPatch, statement: str, kind: type[Exception], raised: str, words: str
) -> None:
    def broken(rt: Runtime, connection: Connection, load: Load) -> None:
        if statement:
            connection.execute(text(statement))
        raise KeyError("Lê Văn A")

    load_id = open_load(loaded.rt, SOURCE, "unforeseen")
    extract(loaded.rt, load_id)
    monkeypatch.setattr("lienthong.pipeline.load.stage_batch", broken)
    with pytest.raises(kind, match=raised):
        stage(loaded.rt, load_id)
    [(error, at)] = loaded.rows("SELECT error, failed_at FROM ops.load WHERE load_id = :id", id=load_id)
    assert error.startswith(f"stage: [source {SOURCE}, load {load_id}] ")
    assert words in error
    assert "Lê" not in error
    assert at == loaded.clock
    monkeypatch.undo()
    stage(loaded.rt, load_id)
    assert loaded.rows("SELECT state, error FROM ops.load WHERE load_id = :id", id=load_id) == [("staged", None)]


def test_a_truncated_batch_is_found_before_anything_is_staged(loaded: Live) -> None:
    before = loaded.contents()
    load_id = open_load(loaded.rt, SOURCE, "truncated")
    extract(loaded.rt, load_id)
    [file] = [
        path
        for path in Path(loaded.folder / "landing").rglob("opencps_dossier-*.parquet")
        if str(load_id) in path.parts
    ]
    file.chmod(0o644)
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    with pytest.raises(LandingCorruptError) as caught:
        stage(loaded.rt, load_id)
    assert file.name in str(caught.value)
    assert f"load {load_id}" in str(caught.value)
    assert loaded.contents() == before
    assert loaded.rows("SELECT count(*) FROM staging.dossier") == [(0,)]
    assert loaded.load(OTHER)["dossier"]["unchanged"] > 0


def spoil(live: Live, change: Callable[[str], str]) -> None:
    path = live.settings.sources / f"{SOURCE}.yaml"
    path.write_text(change(path.read_text()))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("schedule:", "shedule:", ("shedule", "schedule")),
        ("mode: own", "mode: owner", ("mode",)),
        ("overlap: 2d", "overlap: soon", ("overlap",)),
        ("codes:", "codes: [", ("Line",)),
    ],
)
def test_a_contract_with_a_typo_names_file_line_and_key_and_stops_only_itself(
    loaded: Live, old: str, new: str, words: tuple[str, ...]
) -> None:
    before = loaded.contents()
    spoil(loaded, lambda text: text.replace(old, new, 1))
    with pytest.raises(ContractError) as caught:
        loaded.load(SOURCE)
    assert f"{SOURCE}.yaml" in str(caught.value)
    for word in words:
        assert word in str(caught.value)
    assert list(loaded.rt.contracts()) == [OTHER]
    assert loaded.contents() == before
    assert loaded.load(OTHER)["dossier"]["unchanged"] > 0
    assert push(loaded.rt, "H26", "others")["pushed"]["delivered"] > 0  # type: ignore[index]


def test_a_source_is_read_only_in_the_hours_its_contract_allows(loaded: Live) -> None:
    spoil(loaded, lambda text: text.replace("pause_ms: 0}", 'pause_ms: 0, hours: "19:00-06:00"}'))
    assert loaded.clock.astimezone(BUSINESS_ZONE).hour == 8
    breaks(loaded, NotReadyError, "19:00", "06:00")
    loaded.clock += timedelta(hours=12)
    assert loaded.load(SOURCE)["dossier"]["unchanged"] > 0


@pytest.mark.parametrize("hours", ["at night", "19:00", "24:00-06:00", "06:00-06:00"])
def test_hours_that_are_no_hours_are_refused(loaded: Live, hours: str) -> None:
    spoil(loaded, lambda text: text.replace("pause_ms: 0}", f'pause_ms: 0, hours: "{hours}"}}'))
    with pytest.raises(ContractError, match="hours"):
        loaded.load(SOURCE)


def test_a_source_without_a_connection_says_how_to_create_one(loaded: Live) -> None:
    del loaded.connections["src_opencps_h17"]
    with pytest.raises(ContractError, match="src_opencps_h17"):
        loaded.load(SOURCE)


def test_a_broken_contract_takes_neither_its_agencies_nor_its_scores_away(loaded: Live) -> None:
    spoil(loaded, lambda text: text.replace("schedule:", "shedule:", 1))
    listed = loaded.rows("SELECT count(*) FROM registry.agency WHERE tenant = 'H17' AND listed")
    loaded.sync_catalogue()
    assert loaded.rows("SELECT count(*) FROM registry.agency WHERE tenant = 'H17' AND listed") == listed
    score(loaded.rt, "2026-10", "while-broken")
    scored = {code for (code,) in loaded.rows("SELECT DISTINCT tenant FROM indices.unit_score")}
    assert scored == {"H17", "H26"}


def test_a_refused_portal_account_of_one_province_does_not_stop_the_catalogue(loaded: Live) -> None:
    good = loaded.connections["portal_h17"]
    loaded.connections["portal_h17"] = replace(good, password="wrong")
    assert loaded.sync_catalogue()["accounts_refused"] == ["portal_h17"]
    with pytest.raises(PortalAccessError) as caught:
        push(loaded.rt, "H17", "refused")
    assert "wrong" not in str(caught.value)
    assert push(loaded.rt, "H26", "others")["pushed"]["delivered"] > 0  # type: ignore[index]


def test_before_the_first_catalogue_sync_nothing_is_gated_rather_than_everything_blocked(live: Live) -> None:
    with pytest.raises(NotReadyError, match="catalogue_sync"):
        live.load(SOURCE)
    live.sync_catalogue()
    load_id = live.rows("SELECT load_id FROM ops.load")[0][0]
    gate(live.rt, load_id)
    merge(live.rt, load_id)
    assert live.rows("SELECT state, error FROM ops.load") == [("merged", None)]


def test_a_step_that_another_copy_holds_is_busy_and_not_a_failure(
    loaded: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_id = open_load(loaded.rt, SOURCE, "held")
    extract(loaded.rt, load_id)
    with loaded.engine.connect() as other:
        other.execute(text("SELECT 1 FROM ops.load WHERE load_id = :load_id FOR UPDATE"), {"load_id": load_id})
        monkeypatch.setattr("lienthong.warehouse.engine.LOCK_TIMEOUT_MS", 100)
        engine_for.cache_clear()
        with pytest.raises(BusyError):
            stage(loaded.rt, load_id)
        other.rollback()
    loaded.engine.dispose()
    engine_for.cache_clear()
    assert loaded.rows("SELECT error FROM ops.load WHERE load_id = :id", id=load_id) == [(None,)]
    monkeypatch.undo()
    engine_for.cache_clear()
    stage(loaded.rt, load_id)
