"""How a source is read: killed and gone on with, in pages, with pauses, in its hours."""

from __future__ import annotations

from itertools import pairwise

import pytest

from lienthong.model.errors import NotReadyError
from tests.sources.conformance.bench import Fact
from tests.sources.conformance.rig import Rig

PAUSE_MS = 20


@pytest.mark.proves(Fact.KILLED)
def test_a_reader_that_is_killed_leaves_nothing_believed_and_the_next_try_finishes(fresh: Rig) -> None:
    rig = fresh
    load_id = rig.open()
    rig.bench.tap.when(rig.bench.is_page, 3, rig.kill_child)
    rig.extract_in_child(load_id, dies=True)
    assert rig.versions() == {}
    assert rig.watermarks() == []
    rig.bench.change()
    rig.extract_in_child(load_id, dies=False)
    rig.finish(load_id)
    rig.load()
    assert rig.wrong() == {}, "what changed meanwhile is believed with this load or the next"
    tries = {file.parent for file in (rig.folder / "landing").rglob("*.parquet") if str(load_id) in file.parts}
    assert len(tries) == 1, "files of the killed try are gone"
    assert not list((rig.folder / "landing").rglob("progress")), "nothing personal is left behind"


@pytest.mark.proves(Fact.PAGES, Fact.PAUSES)
def test_pages_are_as_small_as_the_contract_says_and_a_pause_lies_between_them(fresh: Rig) -> None:
    rig, bench = fresh, fresh.bench
    rig.write_contract(read={"page_rows": 10, "key_rows": 10, "pause_ms": PAUSE_MS})
    rig.load()
    pages = [passage for passage in bench.tap.log if bench.is_page(passage)]
    assert len(pages) >= len(bench.keys()) / 10
    assert max(bench.page_size(page) for page in pages) <= 10
    gaps = [(later.at - earlier.at) * 1000 for earlier, later in pairwise(pages)]
    assert min(gaps) >= PAUSE_MS


@pytest.mark.proves(Fact.HOURS)
def test_outside_of_its_hours_a_source_is_not_asked_at_all(loaded: Rig) -> None:
    rig = loaded
    rig.bench.change()
    rig.write_contract(read={"hours": "01:00-02:00"})
    error, load_id = rig.refuses()
    assert isinstance(error, NotReadyError)
    assert rig.bench.tap.log == []
    rig.write_contract(read={"hours": "00:00-23:59"})
    rig.finish(load_id)
    assert rig.wrong() == {}
