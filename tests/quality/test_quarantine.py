"""What stays known of violations from load to load, and what goes into quarantine and comes out of it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, text

from lienthong.model.kinds.dossier import PERSON_FIELDS, SPECS, Entity
from tests.quality.staged import apply, document, dossier, gate, load, open_load, rows_of, stage, step

BAD = {"type_errors": ["due_at"]}


def held(engine: Engine) -> list[tuple[Any, ...]]:
    """(entity, source_key, child_key, state, opened, last, released, reasons) of quarantine."""
    return rows_of(
        engine,
        "SELECT entity, source_key, child_key, state, opened_load_id, last_load_id, released_load_id, reasons "
        "FROM quality.quarantine ORDER BY 1, 2, 3, 5, fingerprint",
    )


def known(engine: Engine) -> list[tuple[Any, ...]]:
    """(entity, source_key, child_key, rule_id, first, last, resolved) of violations."""
    return rows_of(
        engine,
        "SELECT entity, source_key, child_key, rule_id, first_load_id, last_load_id, resolved_load_id "
        "FROM quality.violation ORDER BY 1, 2, 3, 4",
    )


def test_a_violation_lasts_from_its_first_load_until_the_load_that_no_longer_finds_it(prepared: Engine) -> None:
    one = load(prepared, "1", dossier=[dossier("1", agency_name=None, channel=None)])
    two = load(prepared, "2", dossier=[dossier("1", agency_name=None)])
    assert known(prepared) == [
        ("dossier", "1", "", "agency_named", one, two, None),
        ("dossier", "1", "", "channel_known", one, one, two),
    ]
    three = load(prepared, "3", dossier=[dossier("1", channel=None)])
    assert known(prepared) == [
        ("dossier", "1", "", "agency_named", one, two, three),
        ("dossier", "1", "", "channel_known", three, three, None),  # a new episode
    ]


def test_records_that_a_load_did_not_read_are_not_touched(prepared: Engine) -> None:
    rows = [dossier("1", agency_name=None), dossier("2", **BAD)]
    load(prepared, "1", dossier=rows, step=[step("2", "21"), step("9", "91")])
    tables = ("violation", "quarantine")
    before = [rows_of(prepared, f"SELECT ctid, t.* FROM quality.{table} AS t ORDER BY ctid") for table in tables]
    load(prepared, "2", dossier=[dossier("3", status=99)], step=[step("3", "31")])
    after = [rows_of(prepared, f"SELECT ctid, t.* FROM quality.{table} AS t ORDER BY ctid") for table in tables]
    assert all(row in after[table] for table in (0, 1) for row in before[table])
    assert (len(after[0]), len(after[1])) == (len(before[0]) + 1, len(before[1]))


def test_applying_a_load_twice_changes_nothing_the_second_time(prepared: Engine) -> None:
    load(prepared, "1", dossier=[dossier("1", **BAD), dossier("2", status=99)])
    load_id = open_load(prepared, "2")
    stage(
        prepared,
        load_id,
        dossier=[dossier("1"), dossier("2", **BAD), dossier(None), dossier("3", agency_name=None)],
        step=[step("9", None), step("2", "21", occurred_at=None)],
    )
    gate(prepared, load_id)
    apply(prepared, load_id)
    query = "SELECT ctid, t.* FROM quality.{} AS t ORDER BY ctid"
    before = [rows_of(prepared, query.format(table)) for table in ("violation", "quarantine")]
    apply(prepared, load_id)
    assert [rows_of(prepared, query.format(table)) for table in ("violation", "quarantine")] == before


def test_a_rejected_dossier_is_held_with_all_reasons_of_its_unit_and_a_pointer(prepared: Engine) -> None:
    one = load(
        prepared,
        "1",
        dossier=[dossier("0"), dossier("1", **BAD, agency_name=None)],
        step=[step("1", None), step("0", "1")],
    )
    assert held(prepared) == [("dossier", "1", "", "open", one, one, None, ["child_key_present", "dossier_typed"])]
    pointer = "SELECT manifest_url, landing_part, landing_row FROM quality.quarantine"
    assert rows_of(prepared, pointer) == [(f"memory://landing/{one}/manifest.json", 0, 1)]
    two = load(prepared, "2", dossier=[dossier("1", **BAD)])
    assert held(prepared) == [("dossier", "1", "", "open", one, two, None, ["dossier_typed"])]
    assert rows_of(prepared, pointer) == [(f"memory://landing/{two}/manifest.json", 0, 0)]


def test_a_dossier_put_right_is_released_and_held_anew_when_it_fails_again(prepared: Engine) -> None:
    one = load(prepared, "1", dossier=[dossier("1", **BAD), dossier("2", **BAD)])
    two = load(prepared, "2", dossier=[dossier("1")])
    three = load(prepared, "3", dossier=[dossier("1", **BAD)])
    assert held(prepared) == [
        ("dossier", "1", "", "released", one, one, two, ["dossier_typed"]),
        ("dossier", "1", "", "open", three, three, None, ["dossier_typed"]),
        ("dossier", "2", "", "open", one, one, None, ["dossier_typed"]),
    ]
    query = "SELECT count(*) FROM quality.quarantine WHERE released_at > opened_at"
    assert rows_of(prepared, query) == [(1,)]


def test_an_orphan_is_held_alone_until_its_dossier_arrives(prepared: Engine) -> None:
    one = load(prepared, "1", step=[step("1", "11"), step("2", "21")])
    assert [row[:4] for row in held(prepared)] == [("step", "1", "11", "open"), ("step", "2", "21", "open")]
    two = load(prepared, "2", dossier=[dossier("1")], step=[step("1", "11")])
    assert held(prepared) == [
        ("step", "1", "11", "released", one, one, two, ["orphan_child"]),
        ("step", "2", "21", "open", one, one, None, ["orphan_child"]),
    ]
    assert [row[-1] for row in known(prepared)] == [two, None]


def test_an_orphan_whose_dossier_arrives_rejected_is_held_with_it(prepared: Engine) -> None:
    one = load(prepared, "1", step=[step("1", "11")])
    two = load(prepared, "2", dossier=[dossier("1", **BAD)], step=[step("1", "11")])
    assert held(prepared) == [
        ("dossier", "1", "", "open", two, two, None, ["dossier_typed"]),
        ("step", "1", "11", "released", one, one, two, ["orphan_child"]),
    ]


def test_a_child_that_left_its_dossier_takes_its_violations_along(prepared: Engine) -> None:
    load(prepared, "1", dossier=[dossier("1")], step=[step("1", "11", occurred_at=None), step("1", "12", status=99)])
    two = load(prepared, "2", dossier=[dossier("1")], step=[step("1", "12", status=99)])
    assert [row[2:] for row in known(prepared)] == [
        ("11", "step_dated", two - 1, two - 1, two),
        ("12", "step_status_mapped", two - 1, two, None),
    ]


def test_a_child_read_without_its_dossier_speaks_only_for_itself(prepared: Engine) -> None:
    with prepared.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO dossier.source_record (tenant, source_id, source_key, dossier_id, version, record_hash, "
                "recipe, observed_at, load_id) "
                "VALUES ('H17', 'h17_opencps', '1', gen_random_uuid(), 1, '', 1, now(), 1)"
            )
        )
    load(prepared, "1", dossier=[dossier("1", status=99)], step=[step("1", "11", status=99), step("1", "12", status=0)])
    two = load(prepared, "2", step=[step("1", "11")])
    assert [(row[1], row[2], row[6]) for row in known(prepared)] == [
        ("1", "", None),
        ("1", "11", two),
        ("1", "12", None),
    ]


def test_a_full_load_says_nothing_about_a_dossier_that_it_does_not_hold(prepared: Engine) -> None:
    load(prepared, "1", dossier=[dossier("1", **BAD), dossier("2", status=99)])
    load(prepared, "2", mode="full", dossier=[dossier("3")])
    assert [row[3] for row in held(prepared)] == ["open"]
    assert [row[6] for row in known(prepared)] == [None, None]


def test_a_step_read_alone_does_not_release_its_dossier(prepared: Engine) -> None:
    load(prepared, "1", dossier=[dossier("1", **BAD)])
    load(prepared, "2", step=[step("1", "11")])
    assert [row[:4] for row in held(prepared)] == [("dossier", "1", "", "open"), ("step", "1", "11", "open")]


def test_records_without_a_key_are_held_once_however_often_they_are_read(prepared: Engine) -> None:
    rows = [dossier(None, reference_code="a"), dossier(None, reference_code="b"), dossier(" ", reference_code="c")]
    one = load(prepared, "1", dossier=rows)
    two = load(prepared, "2", dossier=[dossier("5"), *reversed(rows)])
    assert [row[:7] for row in held(prepared)] == [("dossier", "", "", "open", one, two, None)] * 3
    assert known(prepared) == [("dossier", "", "", "source_key_present", one, two, None)]
    load(prepared, "3", dossier=[dossier("5")])
    assert {row[3] for row in held(prepared)} == {"open"}  # an incremental load says nothing about them
    four = load(prepared, "4", mode="full", dossier=[dossier("5"), rows[0]])
    assert sorted((row[3], row[6] or 0) for row in held(prepared)) == [
        ("open", 0),
        ("released", four),
        ("released", four),
    ]
    five = load(prepared, "5", mode="full", dossier=[dossier("5")])
    assert {row[3] for row in held(prepared)} == {"released"}
    assert [row[6] for row in known(prepared)] == [five]


@pytest.mark.parametrize(
    ("entity", "name"),
    [(Entity.DOSSIER, name) for name in PERSON_FIELDS]
    + [(entity, f.name) for entity in (Entity.STEP, Entity.DOCUMENT) for f in SPECS[entity].fields if f.personal],
)
def test_personal_values_do_not_enter_the_fingerprint_of_a_record_without_a_key(
    prepared: Engine, entity: Entity, name: str
) -> None:
    make: Any = {
        Entity.DOSSIER: lambda **c: dossier(None, **c),
        Entity.STEP: lambda **c: step("9", None, **c),
        Entity.DOCUMENT: lambda **c: document("9", None, **c),
    }[entity]
    load(prepared, "1", **{entity.value: [make(**{name: "x"}), make(**{name: "y"})]})
    query = "SELECT count(*), min(length(fingerprint)) FROM quality.quarantine WHERE entity = :entity"
    assert rows_of(prepared, query, entity=entity.value) == [(1, 32)]


@pytest.mark.parametrize("outcome", ["duplicate", "stale"])
def test_a_row_that_merge_set_aside_says_nothing(prepared: Engine, outcome: str) -> None:
    one = load(prepared, "1", dossier=[dossier("1", agency_name=None)], step=[step("1", "11", occurred_at=None)])
    load_id = open_load(prepared, "2")
    current = dossier("1", agency_name=None) if outcome == "duplicate" else None
    rows = [dossier("1", status=99), *([current] if current else [])]
    stage(prepared, load_id, dossier=rows, step=[step("1", "11")])
    with prepared.begin() as connection:
        for number, _ in enumerate(rows):
            connection.execute(
                text(
                    "INSERT INTO staging.verdict (tenant, load_id, row_no, source_key, outcome) "
                    "VALUES ('H17', :load, :number, '1', :outcome)"
                ),
                {"load": load_id, "number": number, "outcome": "unchanged" if number else outcome},
            )
    gate(prepared, load_id)
    apply(prepared, load_id)
    expected = {"duplicate": [(load_id, None), (one, load_id)], "stale": [(one, None), (one, None)]}[outcome]
    assert [row[5:] for row in known(prepared)] == expected  # the dossier's rule, the step's rule
    assert {row[3] for row in known(prepared)} == {"agency_named", "step_dated"}


def test_sources_of_a_tenant_do_not_touch_each_other(prepared: Engine) -> None:
    load(prepared, "1", dossier=[dossier("1", **BAD)])
    with prepared.begin() as connection:
        connection.execute(text("UPDATE quality.violation SET source_id = 'another'"))
        connection.execute(text("UPDATE quality.quarantine SET source_id = 'another'"))
    load(prepared, "2", dossier=[dossier("1")])
    assert rows_of(prepared, "SELECT source_id, resolved_load_id FROM quality.violation") == [("another", None)]
    assert rows_of(prepared, "SELECT source_id, state FROM quality.quarantine") == [("another", "open")]
