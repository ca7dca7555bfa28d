"""A dossier that is read again as it was is not made, staged or judged again; one that was touched is looked at."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import create_engine, text

from lienthong.warehouse import staging
from tests.pipeline.small import small_loaded
from tests.world import Live

__all__ = ["small_loaded"]  # a fixture

SOURCE = "opencps_h17"


@pytest.fixture
def staged(loaded: Live, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, int]]:
    """Rows per entity that each load writes into staging, before anything is set aside there."""
    loaded.load(SOURCE, mode="full")  # a test that crashes the server empties what the template remembered
    seen: list[dict[str, int]] = []
    real = staging.stage_rows

    def watched(*arguments: Any) -> dict[str, int]:
        counts = real(*arguments)
        seen.append(counts)
        return counts

    monkeypatch.setattr(staging, "stage_rows", watched)
    return seen


def doubtful(live: Live) -> int:
    """Dossiers that are judged again by every load: rejected, blocked, or with something wrong."""
    [(records, clean)] = live.rows(
        "SELECT count(*), count(*) FILTER (WHERE blocked_reasons = '{}' AND NOT EXISTS ("
        "  SELECT FROM quality.violation v WHERE v.tenant = r.tenant AND v.source_id = r.source_id "
        "  AND v.source_key = r.source_key AND v.resolved_load_id IS NULL)) "
        "FROM dossier.source_record r WHERE source_id = :source",
        source=SOURCE,
    )
    assert clean > 0.8 * records
    return int(records - clean)


def touch(live: Live, key: str, statement: str) -> None:
    engine = create_engine(live.sources["H17"])
    with engine.begin() as connection:
        assert connection.execute(text(statement), {"key": int(key)}).rowcount == 1
    engine.dispose()


def a_clean_dossier(live: Live) -> str:
    [(key,)] = live.rows(
        "SELECT r.source_key FROM dossier.source_record r "
        "JOIN landing.fingerprint f USING (tenant, source_id, source_key) "
        "WHERE source_id = :source AND blocked_reasons = '{}' AND NOT EXISTS (SELECT FROM quality.violation v "
        "WHERE v.source_id = r.source_id AND v.source_key = r.source_key) ORDER BY source_key LIMIT 1",
        source=SOURCE,
    )
    return str(key)


def test_a_full_reread_makes_only_what_is_in_doubt(loaded: Live, staged: list[dict[str, int]]) -> None:
    counts = loaded.load(SOURCE, mode="full")["dossier"]
    [again] = staged
    in_doubt = counts["quarantined"] + counts["duplicate"] + doubtful(loaded)
    assert again["dossier"] <= in_doubt < counts["extracted"] * 0.2


def test_a_dossier_that_was_touched_and_not_changed_is_looked_at_once(
    loaded: Live, staged: list[dict[str, int]]
) -> None:
    loaded.load(SOURCE, mode="full")
    before = loaded.contents()
    note = 'UPDATE opencps_dossier SET "modifiedDate" = "modifiedDate" + interval \'1 second\' WHERE "dossierId" = :key'
    touch(loaded, a_clean_dossier(loaded), note)
    touched = loaded.load(SOURCE, mode="full")["dossier"]
    loaded.load(SOURCE, mode="full")
    first, second, third = (counts["dossier"] for counts in staged)
    assert (second, third) == (first + 1, first)
    assert touched["updated"] == touched["inserted"] == 0
    assert loaded.contents() == before


def test_a_dossier_that_changed_arrives_though_everything_else_is_known(
    loaded: Live, staged: list[dict[str, int]]
) -> None:
    loaded.load(SOURCE, mode="full")
    key = a_clean_dossier(loaded)
    touch(loaded, key, 'UPDATE opencps_dossier SET "briefNote" = \'Nội dung khác\' WHERE "dossierId" = :key')
    assert loaded.load(SOURCE, mode="full")["dossier"]["updated"] == 1
    assert staged[1]["dossier"] == staged[0]["dossier"] + 1
    [(abstract,)] = loaded.rows(
        "SELECT abstract FROM dossier.person WHERE source_id = :source AND source_key = :key", source=SOURCE, key=key
    )
    assert abstract == "Nội dung khác"


def test_a_contract_that_changed_makes_everything_again(loaded: Live, staged: list[dict[str, int]]) -> None:
    before = loaded.contents()
    path = loaded.settings.sources / f"{SOURCE}.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("overlap: 2d", "overlap: 3d"), encoding="utf-8")
    counts = loaded.load(SOURCE, mode="full")["dossier"]
    assert staged[0]["dossier"] == counts["extracted"]
    assert counts["updated"] == counts["inserted"] == 0
    assert loaded.contents() == before


def test_code_tables_of_the_province_that_changed_make_everything_again(
    loaded: Live, staged: list[dict[str, int]]
) -> None:
    loaded.load(SOURCE, mode="full")
    engine = create_engine(loaded.sources["H17"])
    with engine.begin() as connection:
        mapped = text("UPDATE opencps_serviceinfomapping SET \"serviceCodeDVCQG\" = '1.009999'")
        assert connection.execute(mapped).rowcount > 0
    engine.dispose()
    counts = loaded.load(SOURCE, mode="full")["dossier"]
    assert staged[1]["dossier"] == counts["extracted"]
    assert counts["updated"] > 0


def test_a_release_that_makes_records_otherwise_makes_everything_again(
    loaded: Live, staged: list[dict[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lienthong.sources.making.making", lambda: "the next release")
    counts = loaded.load(SOURCE, mode="full")["dossier"]
    assert staged[0]["dossier"] == counts["extracted"]
    assert counts["updated"] == counts["inserted"] == 0


def test_after_a_crash_emptied_what_was_remembered_everything_is_made_again(
    loaded: Live, staged: list[dict[str, int]]
) -> None:
    before = loaded.contents()
    with loaded.engine.begin() as connection:
        connection.execute(text("TRUNCATE landing.fingerprint"))
    assert loaded.load(SOURCE, mode="full")["dossier"]["extracted"] == staged[0]["dossier"]
    assert loaded.contents() == before
