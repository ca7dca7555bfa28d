"""An iGate as public clients show it, whole way: what is held against the truth, over several loads."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial

import pytest

from lienthong.indices import scores
from lienthong.pipeline.score import score
from lienthong.sources.igate import extract
from simulator.defects import Defect
from simulator.igate import IgateSwitches
from tests.pipeline.comparison import differences
from tests.pipeline.igates import SOURCE, TENANT, running_igate
from tests.pipeline.test_igate import DELETED, key_of, received
from tests.pipeline.test_truth import BLOCKING
from tests.world import MONTH, Live

pytestmark = pytest.mark.xdist_group("igate-public")
SIZE = 120
#: Shortly after all that happens in the world.
NOW = datetime(2026, 11, 9, tzinfo=UTC)
#: Lists whose links and codes are not shown; what is in them is counted.
COUNTED = ("TaiLieuNop", "DanhSachGiayToKetQua")


@pytest.fixture(params=["newest_task", "windows"])
def live(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    """Read in one of the two ways that serve where no date of modification is shown. Catalogue synced."""
    monkeypatch.setattr(extract, "extract", partial(extract.extract, now=lambda: NOW))
    with running_igate(request, SIZE) as live:
        path = live.settings.sources / f"{SOURCE}.yaml"
        text = path.read_text().replace("page_rows: 200", "page_rows: 20")
        path.write_text(text.replace("changes: updated_date", f"changes: {request.param}"))
        live.igates[TENANT].switches = IgateSwitches.of_public_clients(status_eleven=False)
        live.sync_catalogue()
        yield live


def portal_differs(live: Live) -> dict[str, object]:
    """Sendable dossiers that the portal doesn't hold as they are true, as far as an iGate shows it."""
    kept_back = {*BLOCKING, DELETED, Defect.PORTAL_REFUSES, Defect.EMPTY_REQUIRED, Defect.DUPLICATE_ROW}
    wrong: dict[str, object] = {}
    for entry in live.world.ledger(TENANT):
        if not received(entry) or kept_back & set(entry.defects):
            continue
        stored = live.portal.store.dossier(entry.code or "")
        if stored is None:
            wrong[entry.code or ""] = "absent"
            continue
        found: dict[str, object] = {
            name: values for name, values in differences(entry, stored.body).items() if name not in COUNTED
        }
        if Defect.RESULT_WITHOUT_FILE not in entry.defects:
            counts = {name: (len(entry.truth[name]), len(stored.body.get(name, ()))) for name in COUNTED}
            found |= {name: pair for name, pair in counts.items() if pair[0] != pair[1]}
        if found:
            wrong[entry.code or ""] = found
    return wrong


def test_several_loads_bring_all_that_is_shown_and_every_load_adds_up(live: Live) -> None:
    igate = live.igates[TENANT]
    first = live.load(SOURCE)
    assert first["dossier"]["inserted"] == len(list(live.world.ledger(TENANT)))
    live.push(TENANT)
    assert portal_differs(live) == {}
    before = live.contents()
    again = live.load(SOURCE)
    assert again["dossier"]["inserted"] == again["dossier"]["updated"] == 0
    assert live.contents() == before

    for seed in (3, 4):
        asked = igate.igate.counts["detail"]
        changes = igate.advance(seed, 20)
        load = live.load(SOURCE)
        assert igate.igate.counts["detail"] - asked < len(list(live.world.ledger(TENANT))) / 2
        moved = {change.dossier_id for change in changes if change.step is not None}
        assert load["dossier"]["inserted"] + load["dossier"]["updated"] >= len(moved)
    full = live.load(SOURCE, mode="full")
    assert full["dossier"]["inserted"] == 0, "nothing that came or moved was missed"
    live.push(TENANT)
    assert portal_differs(live) == {}
    kept = live.contents()
    live.load(SOURCE)
    assert live.contents() == kept, "a full load serves the next one"
    gaps = live.rows(
        "SELECT extracted - inserted - updated - unchanged - duplicate - stale - quarantined, quarantined "
        "FROM ops.load_count"
    )
    assert set(gaps) == {(0, 0)}


def test_a_range_between_two_loads_changes_nothing_of_what_they_find(live: Live) -> None:
    live.load(SOURCE)
    live.igates[TENANT].advance(3, 20)
    live.load(
        SOURCE, mode="range", window_from=datetime(2026, 10, 5, tzinfo=UTC), window_to=datetime(2026, 10, 9, tzinfo=UTC)
    )
    live.load(SOURCE)
    full = live.load(SOURCE, mode="full")
    assert full["dossier"]["inserted"] == 0
    assert {key for (key,) in live.rows("SELECT source_key FROM dossier.source_record")} == {
        key_of(entry) for entry in live.world.ledger(TENANT)
    }


def test_results_count_as_electronic_where_the_contract_says_where_files_are_fetched(live: Live) -> None:
    path = live.settings.sources / f"{SOURCE}.yaml"
    address = "https://igate.example/fi/file/{id}"
    path.write_text(path.read_text().replace("changes:", f'file_url: "{address}", changes:'))
    live.load(SOURCE)
    [province] = scores(live.engine, score(live.rt, MONTH, "public")).provinces
    found = province.components["4.1"]
    assert found.numerator is not None
    assert found.numerator > 10
    (urls,) = live.rows(
        "SELECT count(*) FILTER (WHERE url LIKE 'https://igate.example/fi/file/%') FROM dossier.document"
    )
    assert urls[0] > 50
