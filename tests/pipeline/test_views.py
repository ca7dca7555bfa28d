"""What people are shown of a load and of a month, read from a real warehouse: lines and tables agree."""

from __future__ import annotations

import re

import pytest

from lienthong.model.codes import LoadState
from lienthong.pipeline import views
from lienthong.pipeline.load import extract, gate, merge, open_load, stage
from lienthong.pipeline.score import score
from tests.pipeline.small import small_live, small_loaded
from tests.world import MONTH, PROVINCES, Live

__all__ = ["small_live", "small_loaded"]
pytestmark = pytest.mark.xdist_group("views")

SOURCE = "opencps_h17"


def numbers(line: str) -> list[int]:
    return [int(found.replace(".", "")) for found in re.findall(r"\b\d[\d.]*\b(?=[ ,;.]|$)", line.partition(": ")[2])]


def test_every_step_of_a_load_can_be_shown_while_it_runs(live: Live) -> None:
    live.sync_catalogue()
    load_id = open_load(live.rt, SOURCE, "shown")
    opened = views.opened_load(live.rt, load_id, collapse_accepted=False)
    assert opened.lines[1] == "Mốc đã đọc trước đó: chưa có, lần nạp đầu tiên."
    extract(live.rt, load_id)
    extracted = views.extracted_load(live.rt, load_id)
    stage(live.rt, load_id)
    staged = views.staged_load(live.rt, load_id)
    assert dict(staged.load.staged_rows or {}) == dict(extracted.landed), "of an empty warehouse nothing is known"
    gate(live.rt, load_id)
    gated = views.gated_load(live.rt, load_id)
    assert gated.load.state is LoadState.GATED
    result = merge(live.rt, load_id)
    [(held,)] = live.rows("SELECT count(*) FROM quality.quarantine WHERE entity = 'dossier'")
    [(blocked,)] = live.rows("SELECT count(DISTINCT source_key) FROM quality.violation WHERE severity = 'block'")
    assert numbers(gated.lines[1])[:2] == [gated.rejected, gated.blocked] == [held, blocked]
    assert blocked > 0
    assert len(gated.lines) == 2 + sum(rule.failed > 0 for rule in gated.rules)
    assert views.gated_load(live.rt, load_id).rejected is None, "once merged, what was staged is gone"
    shown = views.load(live.rt, load_id)
    assert {one.entity: dict(one.outcomes) for one in shown.entities} == result["counts"]
    assert not shown.brought_nothing_new


def test_a_second_load_is_shown_to_have_brought_nothing_new(loaded: Live) -> None:
    loaded.load(SOURCE)
    shown = {load.source_id: load for load in views.newest_loads(loaded.rt)}
    assert shown[SOURCE].brought_nothing_new
    assert set(shown) == {f"opencps_{tenant.lower()}" for tenant in PROVINCES}


def test_a_month_is_shown_with_its_provinces(loaded: Live) -> None:
    month = views.scored_month(loaded.rt, score(loaded.rt, MONTH, "shown"))
    assert str(month.month) == MONTH
    assert [province.tenant for province in month.provinces] == sorted(PROVINCES)
    assert len(month.lines) == 2 + len(PROVINCES)
