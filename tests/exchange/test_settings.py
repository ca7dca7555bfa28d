"""portal.yaml is read strictly; a mistake is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from lienthong.exchange.settings import PORTAL_FILE, load_portal_settings
from lienthong.model.errors import ContractError


def test_the_shipped_file_is_valid() -> None:
    settings = load_portal_settings()
    assert settings.batch_size == 50
    assert settings.step_chunk == 10
    assert settings.session_life_s <= 600


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("batch_size: 50", "batchsize: 50", "batchsize"),
        ("session_life_s: 540", "session_life_s: 6000", "session_life_s"),
        ("lease_s: 600", "lease_s: 539", "lease_s"),
        ("total_timeout_s: 70", "total_timeout_s: 81", "lease_s must be at least 606"),
        ("retry_after_max_s: 30", "retry_after_max_s: 60", "lease_s must be at least 660"),
        ("answer_max_bytes: 10000000", "answer_max_bytes: 10", "answer_max_bytes"),
        ("dstcode_in: header", "dstcode_in: cookie", "dstcode_in"),
        ("success_words: [thành công]", "success_words: []", "success_words"),
    ],
)
def test_a_typo_is_named_with_file_and_key(tmp_path: Path, old: str, new: str, named: str) -> None:
    text = PORTAL_FILE.read_text(encoding="utf-8")
    assert old in text
    file = tmp_path / "portal.yaml"
    file.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(ContractError, match=named) as caught:
        load_portal_settings(file)
    assert "portal.yaml" in str(caught.value)


def test_a_lease_covers_a_call_with_its_repetitions() -> None:
    settings = load_portal_settings()
    assert settings.longest_call_s == 3 * settings.total_timeout_s + 2 * settings.retry_after_max_s < settings.lease_s
    assert [settings.backoff(attempt) for attempt in range(1, 7)] == [2, 4, 8, 16, 30, 30]
    assert (settings.keep_alive, settings.lookup_steps) == (False, None)


def test_without_a_word_about_it_dossiers_travel_one_by_one(tmp_path: Path) -> None:
    file = tmp_path / "portal.yaml"
    file.write_text(PORTAL_FILE.read_text(encoding="utf-8").replace("batch_size: 50", ""), encoding="utf-8")
    assert load_portal_settings(file).batch_size == 1


def test_unsettled_dossiers_are_asked_about_less_and_less_often() -> None:
    settings = load_portal_settings()
    delays = [settings.settle_delay(attempts) for attempts in range(1, 30)]
    assert delays == sorted(delays)
    assert (delays[0], delays[-1]) == (settings.settle_after_s, settings.settle_max_s)
