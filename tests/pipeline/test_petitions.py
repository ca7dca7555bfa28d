"""Petitions and ratings end to end: what the warehouse believes against the truth, and what the gate finds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from lienthong.model.codes import PetitionClass, PetitionStatus, Satisfaction
from lienthong.model.periods import BUSINESS_ZONE
from tests.pipeline.desks import HOTLINE, PAKN, RATINGS, TENANT, Said, running_desks

pytestmark = pytest.mark.xdist_group("desks")  # one world for the whole module

PETITION_FIELDS = (
    "petition_code", "classification", "agency_code", "agency_name", "status", "sent_at", "transferred_at",
    "supplement_asked_at", "answered_at", "published_at", "refused_at", "due_at", "likes", "dislikes",
    "complained_again", "dossier_code", "sender_name", "sender_phone", "sender_email", "sender_address", "title",
    "content", "answer",
)  # fmt: skip
STEP_FIELDS = ("step_no", "status", "occurred_at", "agency_code", "agency_name", "actor_name", "content")
RATING_FIELDS = (
    "dossier_code", "agency_code", "agency_name", "satisfaction", "rating_type", "rated_at", "rater_name", "comment",
)  # fmt: skip
PERSONAL = {
    "petition": ("sender_name", "sender_phone", "sender_email", "sender_address", "title", "content", "answer"),
    "rating": ("rater_name", "comment"),
}
#: Fault → fields that it spoils.
SPOILED = {
    "no_date": {"sent_at"},
    "unknown_agency": {"agency_code", "agency_name"},
    "answered_before_sent": {"answered_at"},
    "refused_and_answered": {"refused_at"},
    "unknown_status": {"status"},
    "unknown_class": {"classification"},
    "published_without_answer": {"answered_at", "answer"},
    "malformed_dossier_code": {"dossier_code"},
    "dated_ahead": {"answered_at", "rated_at"},
    "unknown_dossier": {"dossier_code"},
    "no_dossier": {"dossier_code"},
    "unknown_level": {"satisfaction"},
    "no_time": {"rated_at"},
}
#: Fault → rules that its record breaks, of the record or a child. Of dossiers none is loaded, so none is known.
BROKEN = {
    "no_date": {"petition_sent_dated"},
    "bad_date": {"petition_typed"},
    "unknown_agency": {"agency_known"},
    "answered_before_sent": {"petition_answered_after_sent"},
    "refused_and_answered": {"petition_refused_or_answered"},
    "unknown_status": {"petition_status_mapped"},
    "unknown_class": {"petition_class_mapped"},
    "published_without_answer": {"petition_answered_when_published"},
    "malformed_dossier_code": {"petition_dossier_code_well_formed"},
    "dated_ahead": {"petition_not_dated_ahead"},
    "nfd_text": {"text_was_nfc"},
    "orphan_child": {"orphan_child"},
    "duplicate_row": set(),
}
BROKEN_RATING = {
    "unknown_dossier": set(),
    "no_dossier": {"rating_names_dossier"},
    "malformed_dossier_code": {"rating_dossier_code_well_formed"},
    "unknown_level": {"satisfaction_mapped"},
    "unknown_mark": {"mark_in_range"},
    "no_time": {"rating_dated"},
    "bad_time": {"rating_typed", "rating_dated"},
    "dated_ahead": {"rating_not_dated_ahead"},
    "nfd_text": {"text_was_nfc"},
    "duplicate_row": set(),
}
REFUSED = {"bad_date", "bad_time", "orphan_child"}


@pytest.fixture(scope="module")
def said(request: pytest.FixtureRequest) -> Iterator[Said]:
    """The catalogue and all three sources loaded once."""
    with running_desks(request) as running:
        running.live.sync_catalogue()
        for source in (PAKN, HOTLINE, RATINGS):
            running.live.load(source, mode="full")
        yield running


def words(value: Any) -> Any:
    """A value of the warehouse as the ledger says it."""
    if isinstance(value, datetime):
        return value.astimezone(BUSINESS_ZONE).strftime("%Y%m%d%H%M%S")
    return "" if value is None else value


def believed(said: Said, source: str, kind: str, fields: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """Believed records by key, in the ledger's words."""
    columns = ", ".join(f"{'p' if name in PERSONAL[kind] else 'r'}.{name}" for name in fields)
    rows = said.live.rows(
        f"SELECT r.source_key, {columns} FROM {kind}.source_record r "
        f"JOIN {kind}.person p USING (tenant, source_id, source_key) "
        "WHERE r.tenant = :tenant AND r.source_id = :source",
        tenant=TENANT,
        source=source,
    )
    found = {row[0]: {name: words(value) for name, value in zip(fields, row[1:], strict=True)} for row in rows}
    for values in found.values():
        for name, codes in (
            ("status", PetitionStatus),
            ("classification", PetitionClass),
            ("satisfaction", Satisfaction),
        ):
            if values.get(name):
                values[name] = codes(values[name]).name.lower()
    return found


@pytest.mark.parametrize("source", [PAKN, HOTLINE])
def test_every_petition_is_believed_once_with_what_is_true(said: Said, source: str) -> None:
    found, entries = believed(said, source, "petition", PETITION_FIELDS), said.entries(source)
    kept = {key: entry for key, entry in entries.items() if not REFUSED & set(entry.defects)}
    assert found.keys() == kept.keys()
    wrong = {}
    for key, entry in kept.items():
        spoiled = {field for fault in entry.defects for field in SPOILED.get(fault, ())}
        differs = {n: (entry.truth[n], v) for n, v in found[key].items() if n not in spoiled and entry.truth[n] != v}
        if differs:
            wrong[key] = (entry.defects, differs)
    assert wrong == {}


def test_every_rating_is_believed_once_with_what_is_true(said: Said) -> None:
    found, entries = believed(said, RATINGS, "rating", RATING_FIELDS), said.entries(RATINGS)
    kept = {key: entry for key, entry in entries.items() if not REFUSED & set(entry.defects)}
    assert found.keys() == kept.keys()
    wrong = {}
    for key, entry in kept.items():
        spoiled = {field for fault in entry.defects for field in SPOILED.get(fault, ())}
        spoiled |= {"comment"} if "nfd_text" in entry.defects else set()
        differs = {n: (entry.truth[n], v) for n, v in found[key].items() if n not in spoiled and entry.truth[n] != v}
        if differs:
            wrong[key] = (entry.defects, differs)
    assert wrong == {}


@pytest.mark.parametrize("source", [PAKN, HOTLINE])
def test_every_step_of_a_petition_is_believed(said: Said, source: str) -> None:
    rows = said.live.rows(
        f"SELECT source_key, {', '.join(STEP_FIELDS)} FROM petition.petition_step "
        "WHERE tenant = :tenant AND source_id = :source",
        tenant=TENANT,
        source=source,
    )
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        values = {name: words(value) for name, value in zip(STEP_FIELDS, row[1:], strict=True)}
        values["status"] = PetitionStatus(values["status"]).name.lower()
        found.setdefault(row[0], []).append(values)
    for key, entry in said.entries(source).items():
        if not REFUSED & set(entry.defects):
            assert sorted(found[key], key=lambda step: step["step_no"]) == list(entry.children)


def test_every_mark_of_a_rating_is_believed(said: Said) -> None:
    rows = said.live.rows("SELECT source_key, criterion, mark FROM rating.rating_mark WHERE tenant = 'H17'")
    found: dict[str, dict[str, int]] = {}
    for key, criterion, mark in rows:
        found.setdefault(key, {})[criterion] = mark
    for key, entry in said.entries(RATINGS).items():
        if not REFUSED & set(entry.defects):
            true = {mark["criterion"]: mark["mark"] for mark in entry.children}
            true |= {"1": None} if "unknown_mark" in entry.defects else {}
            assert found[key] == true


def test_what_was_passed_on_names_where_it_came_from(said: Said) -> None:
    passed = dict(said.live.rows("SELECT source_key, origin_code FROM petition.source_record WHERE origin_code <> ''"))
    assert passed
    assert passed == {
        key: entry.truth["origin_code"] for key, entry in said.entries(PAKN).items() if entry.truth["origin_code"]
    }


@pytest.mark.parametrize("source", [PAKN, HOTLINE, RATINGS])
def test_the_gate_finds_the_injected_faults_and_no_others(said: Said, source: str) -> None:
    rows = said.live.rows(
        "SELECT source_key, rule_id FROM quality.violation WHERE tenant = :tenant AND source_id = :source "
        "AND resolved_load_id IS NULL AND rule_id <> 'rating_dossier_known'",
        tenant=TENANT,
        source=source,
    )
    found: dict[str, set[str]] = {}
    for key, rule in rows:
        found.setdefault(key, set()).add(rule)
    expected = {}
    for key, entry in said.entries(source).items():
        rules = {rule for fault in entry.defects for rule in (BROKEN_RATING if source == RATINGS else BROKEN)[fault]}
        if "dated_ahead" in entry.defects and entry.truth.get("published_at"):
            rules |= {"petition_dates_in_order"}
        if rules:
            expected[key] = rules
    assert found == expected


def test_a_rating_of_a_dossier_that_is_not_there_is_found(said: Said) -> None:
    rows = said.live.rows(
        "SELECT source_key FROM quality.violation WHERE rule_id = 'rating_dossier_known' AND resolved_load_id IS NULL"
    )
    named = {key for key, entry in said.entries(RATINGS).items() if not {"no_dossier", "bad_time"} & set(entry.defects)}
    assert named <= {key for (key,) in rows}  # no dossier is loaded here


@pytest.mark.parametrize("source", [PAKN, HOTLINE, RATINGS])
def test_what_was_read_adds_up(said: Said, source: str) -> None:
    rows = said.live.rows(
        "SELECT entity, extracted, inserted + updated + unchanged + duplicate + stale + quarantined "
        "FROM ops.load_count JOIN ops.load USING (tenant, load_id) WHERE source_id = :source",
        source=source,
    )
    assert rows
    for entity, extracted, accounted in rows:
        assert extracted == accounted, entity
        assert extracted > 0


def test_no_word_of_a_person_is_outside_the_person_tables(said: Said) -> None:
    entry = next(entry for entry in said.entries(PAKN).values() if not entry.defects)
    for table in ("petition.source_record", "quality.violation", "quality.quarantine", "ops.finding"):
        said_there = str(said.live.rows(f"SELECT t::text FROM {table} t"))
        assert entry.truth["sender_name"] not in said_there
        assert entry.truth["sender_address"] not in said_there
