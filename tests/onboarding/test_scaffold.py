"""`source add`: a contract that loads as it is, says what was seen, and guesses nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lienthong.connections import Connection
from lienthong.model.codes import SourceMode
from lienthong.model.errors import ContractError, SchemaDriftError
from lienthong.model.kinds.dossier import SPECS, Entity
from lienthong.onboarding.scaffold import draft, scaffold, write_contract
from lienthong.pipeline.runtime import utc_now
from lienthong.sources.contract import SourceContract, load_contract
from lienthong.sources.office_hours import office_shift
from lienthong.sources.profiles import profile_of
from lienthong.sources.scaffold_sample import sampled
from simulator.igate import IgateServer, items
from simulator.world import World
from tests.contracts import changed
from tests.sources.conftest import REPO, Province
from tests.world import igate_connection

PROVINCES = REPO / "include" / "registry" / "provinces.csv"


def added(province: Province, folder: Path, **others: SourceContract) -> tuple[str, SourceContract]:
    """The text of a first contract for a province's database, and the contract that it is."""
    first = draft("opencps_new", "opencps", "H17", "src_opencps_new", others, PROVINCES)
    text = scaffold(first, province.connection, others, utc_now).text
    path = folder / "opencps_new.yaml"
    write_contract(path, text, force=True)
    return text, load_contract(path)


def test_an_empty_database_gives_a_contract_that_loads(province: Province, tmp_path: Path) -> None:
    text, contract = added(province, tmp_path)
    assert contract.title == "Đà Nẵng, hệ thống một cửa OpenCPS"
    assert contract.dossier.mode is SourceMode.OBSERVE
    assert (contract.schedule, contract.full) == ("0,30 * * * *", "0 1 * * 0"), "everything weekly, by night"
    assert contract.time_zone == "Asia/Ho_Chi_Minh"
    assert contract.dossier.entities == tuple(Entity(name) for name in ("dossier", "step", "document", "fee"))
    assert contract.dossier.codes.status["releasing"] == 9
    assert "chưa ánh xạ" not in text.partition("source_id:")[2]


def test_the_contract_reads_the_source(province: Province, tmp_path: Path) -> None:
    province.add("opencps_dossier", 1, 2)
    _, contract = added(province, tmp_path)
    assert profile_of(contract).check_schema(contract, province.connection) == {}
    province.contract = contract
    assert len(province.canonical(province.load())[Entity.DOSSIER]) == 2


def test_words_without_a_usual_code_are_listed_with_their_rows(province: Province, tmp_path: Path) -> None:
    province.add("opencps_dossier", 1, 2, 3, dossierStatus="archived")
    province.add("opencps_dossier", 4, dossierStatus="done", dossierSubStatus="by_court")
    province.add("opencps_dossieraction", 1, 2, dossierId=1, stepCode="300")
    text, contract = added(province, tmp_path)
    assert "    # chưa ánh xạ: archived (3 hàng)\n" in text
    assert '    # chưa ánh xạ: "done/by_court" (1 hàng)\n' in text
    assert "    # chưa ánh xạ: 300 (2 hàng)\n" in text
    assert "archived" not in contract.dossier.codes.status
    assert contract.dossier.codes.step == {}


def test_a_word_for_the_rest_says_how_many_rows_it_stands_for(province: Province, tmp_path: Path) -> None:
    province.add("opencps_dossier", 1, viaPostal=0)
    province.add("opencps_dossierfile", 1, 2, dossierId=1, dossierPartType=1)
    province.add("opencps_dossierfile", 3, dossierId=1, dossierPartType=3)
    province.add("opencps_dossierfile", 4, dossierId=1, dossierPartType=2)
    codes = added(province, tmp_path)[0].partition("\n    document_role:\n")[2]
    assert noted(codes, "other: component") == "3 hàng"
    assert noted(codes, "2: result") == "1 hàng"
    assert "chưa ánh xạ" not in codes.partition("paid:")[0]


def noted(text: str, line: str) -> str:
    """The comment of the first line of a contract that says `line`."""
    return next(found.partition("# ")[2] for found in text.splitlines() if found.strip().startswith(line))


def test_a_word_that_the_provinces_own_table_maps_needs_no_code(province: Province, tmp_path: Path) -> None:
    province.add("opencps_dossier", 1, dossierStatus="archived")
    province.add(
        "opencps_dossierstatusmapping", 1, statusCode="archived", subStatusCode="", statusCodeDVCQG="10"
    )  # fmt: skip
    assert "archived" not in added(province, tmp_path)[0]


def test_a_word_is_proposed_as_the_other_contracts_have_it_and_marked(
    province: Province, contract: SourceContract, tmp_path: Path
) -> None:
    province.add("opencps_paymentfile", 1, dossierId=1, paymentMethod="CASH")
    province.add("opencps_dossier", 1)
    text, made = added(province, tmp_path, opencps_h17=contract)
    assert made.dossier.codes.payment_method["CASH"] == 0
    assert noted(text, "CASH: 0").endswith("CHECK: as in opencps_h17")
    codes = contract.dossier.codes.model_copy(update={"payment_method": {"CASH": 2}})
    other = changed(contract, codes=codes, source_id="opencps_h99", connection="x")
    made = added(province, tmp_path, opencps_h17=contract, opencps_h99=other)[1]
    assert "CASH" not in made.dossier.codes.payment_method


def test_steps_are_never_taken_from_another_contract(
    province: Province, contract: SourceContract, tmp_path: Path
) -> None:
    province.add("opencps_dossieraction", 1, dossierId=1, stepCode="300")
    province.add("opencps_dossier", 1)
    text, made = added(province, tmp_path, opencps_h17=contract)
    assert contract.dossier.codes.step["300"] == 4
    assert made.dossier.codes.step == {}
    assert "# chưa ánh xạ: 300 (1 hàng)" in text


def test_what_is_in_the_bin_and_what_could_have_been_posted_is_proposed_as_opencps_has_it(
    province: Province, tmp_path: Path
) -> None:
    province.add("opencps_dossier", 1, 2, originality=3)
    province.add("opencps_dossier", 3, originality=-3)
    province.add("opencps_dossier", 4, originality=12)
    text, made = added(province, tmp_path)
    rule = {"live": ["0", "1", "2", "3", "4"], "removed": ["-1", "-2", "-3", "-4", "-9"], "left_out": ["9"]}
    assert {
        kind: [word for word, said in made.dossier.codes.originality.items() if said == kind] for kind in rule
    } == rule
    assert noted(text, '"-3": removed') == "1 hàng"
    assert "    # chưa ánh xạ: 12 (1 hàng)\n" in text
    assert made.dossier.codes.return_method == {"0": 0, "1": 0, "other": 1}
    assert made.dossier.codes.paid == ("3", "5")


def test_opencps_own_words_without_a_published_code_are_proposed_to_be_checked(
    province: Province, tmp_path: Path
) -> None:
    province.add("opencps_dossier", 1, dossierStatus="interoperating")
    text, made = added(province, tmp_path)
    assert {
        word: made.dossier.codes.status[word]
        for word in ("interoperating", "pausing", "correcting", "cancelling", "posting")
    }
    assert noted(text, "interoperating: 4").startswith("Đang xử lý; 1 hàng; CHECK: ")
    assert "CHECK: " in noted(text, "7: component")


@pytest.mark.parametrize("word", ["a: b", "# x", "true", "- a", "it's", 'sa"y', "hai\ndòng", "a\u2028b", "null", "{"])
def test_any_word_stays_a_word_on_one_line(province: Province, tmp_path: Path, word: str) -> None:
    province.add("opencps_dossier", 1, dossierStatus=word)
    province.add("opencps_paymentfile", 1, dossierId=1, paymentMethod=word)
    known = {"status": {}, "step": {}, "payment_method": {word: 2}}
    peer = load_contract(REPO / "include/sources/opencps_h17.yaml")
    peer = peer.with_section(codes=peer.dossier.codes.model_copy(update=known))
    text, contract = added(province, tmp_path, opencps_h17=peer)
    assert [line for line in text.splitlines() if line.startswith("    # chưa ánh xạ: ")] != []
    assert list(contract.dossier.codes.payment_method) == ["KEYPAY", next(iter(_cleaned(word)))]


def _cleaned(word: str) -> list[str]:
    """As extraction cleans it: line breaks are blanks."""
    import polars as pl

    from lienthong.sources.text_cleaning import clean

    return [str(value) for value in clean(pl.Series([word]))[0].to_list()]


def test_json_keys_are_mapped_where_their_name_says_it_and_listed_elsewhere(province: Province, tmp_path: Path) -> None:
    province.add(
        "opencps_dossier", 1, 2, metaData='{"TaiKhoanDuocXacThucVoiVNeID": "1", "soTrang": 3, "Họ tên ai đó": "x"}'
    )  # fmt: skip
    text, contract = added(province, tmp_path)
    assert contract.dossier.extensions == {
        Entity.DOSSIER: {"metaData": {"TaiKhoanDuocXacThucVoiVNeID": "vneid_verified"}}
    }
    assert "      # chưa ánh xạ: soTrang (2 hàng)\n" in text
    assert "Họ tên" not in text


def test_what_the_source_lacks_is_ignored_and_what_is_new_is_offered(province: Province, tmp_path: Path) -> None:
    province.run('ALTER TABLE opencps_dossier DROP COLUMN "briefNote", ADD COLUMN "diemHaiLong" integer')
    province.run("DROP TABLE opencps_dictitemmapping")
    province.run("DROP TABLE opencps_paymentfile")
    text, contract = added(province, tmp_path)
    assert contract.dossier.ignore == {"opencps_dossier": ("briefNote",), "opencps_dictitemmapping": ("*",)}
    assert Entity.FEE not in contract.dossier.entities
    assert "  # opencps_dossier: [diemHaiLong]\n" in text
    assert profile_of(contract).check_schema(contract, province.connection) == {"opencps_dossier": ("diemHaiLong",)}


def test_a_database_of_another_kind_is_refused(province: Province, tmp_path: Path) -> None:
    province.run("ALTER TABLE opencps_dossier RENAME TO hoso")
    with pytest.raises(SchemaDriftError, match="opencps_dossier"):
        added(province, tmp_path)


def test_data_in_utc_is_noticed(province: Province, tmp_path: Path) -> None:
    for hour in range(1, 10):
        province.add("opencps_dossier", *range(hour * 100, hour * 100 + 30), modifiedDate=f"2026-10-01 0{hour}:00:00")
    text, contract = added(province, tmp_path)
    assert contract.time_zone == "UTC"
    assert "CHECK: the data look like UTC" in text


@pytest.mark.parametrize(
    ("hours", "shift"),
    [
        ({9: 300, 14: 300}, 0),
        ({2: 300, 7: 300}, 7),
        ({16: 300, 21: 300}, -7),
        ({2: 10, 7: 10}, 0),  # too few to tell
        ({hour: 100 for hour in range(24)}, 0),  # noqa: C420 (reads as the others do)
    ],
)
def test_office_hours_tell_a_zone_only_when_they_are_clear(hours: dict[int, int], shift: int) -> None:
    assert office_shift([hours.get(hour, 0) for hour in range(24)]) == shift


def test_a_contract_is_never_written_over_without_force(tmp_path: Path) -> None:
    path = tmp_path / "opencps_new.yaml"
    write_contract(path, "first", force=False)
    with pytest.raises(ContractError, match="already a contract"):
        write_contract(path, "second", force=False)
    assert path.read_text() == "first"
    write_contract(path, "second", force=True)
    assert path.read_text() == "second"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"source_id": "../x"}, "source_id"),
        ({"profile": "opencsp"}, "did you mean 'opencps'"),
        ({"tenant": "Đà Nẵng"}, "tenant"),
        ({"connection": "src_opencps_h17"}, "already the connection"),
    ],
)
def test_names_that_can_not_be_used_are_refused_before_the_source_is_asked(
    contract: SourceContract, changes: dict[str, Any], words: str
) -> None:
    names = {"source_id": "opencps_new", "profile": "opencps", "tenant": "H17", "connection": "src_new", **changes}
    with pytest.raises(ContractError, match=words):
        draft(**names, others={"opencps_h17": contract}, provinces=PROVINCES)


def test_a_second_source_of_a_province_speaks_after_the_first(contract: SourceContract) -> None:
    second = draft("opencps_so", "opencps", "H17", "src_so", {"opencps_h17": contract}, PROVINCES)
    assert (second.dossier.precedence, second.dossier.portal_connection) == (20, "portal_h17")


@contextmanager
def gia_lai(dossiers: int = 60) -> Iterator[Connection]:
    with IgateServer(World.generate(7, dossiers, "2026-10", provinces=("H21",)), "H21") as igate:
        yield igate_connection("src_igate_new", igate)


def added_igate(connection: Connection, folder: Path) -> tuple[str, SourceContract]:
    """The text of a first contract for an iGate, and the contract that it is."""
    first = draft("igate_new", "igate", "H21", connection.conn_id, {}, PROVINCES)
    text = scaffold(first, connection, {}, utc_now).text
    path = folder / "igate_new.yaml"
    write_contract(path, text, force=False)
    return text, load_contract(path)


def filled(contract: SourceContract, connection: Connection, dossiers: int) -> Counter[str]:
    """How many rows of each entity have a value, by entity and field."""
    counts: Counter[str] = Counter()
    with sampled(profile_of(contract).sample, contract, connection, dossiers) as batch:
        for entity, table in profile_of(contract).canonicalise(contract, batch):
            for name in SPECS[entity].names:
                counts[f"{entity}.{name}"] += table.num_rows - table.column(name).null_count
    return counts


def test_an_igate_gives_a_contract_that_reads_it(tmp_path: Path) -> None:
    with gia_lai() as connection:
        text, contract = added_igate(connection, tmp_path)
        with sampled(profile_of(contract).sample, contract, connection, 20) as batch:
            left = profile_of(contract).unmapped_codes(contract, batch)
    assert contract.title == "Gia Lai, hệ thống một cửa VNPT iGate"
    assert contract.dossier.codes.status == {"0": 1}
    assert contract.full == "0 1 1 * *", "each dossier is a request of its own: monthly"
    assert {code.kind for code in left} >= {"status", "step", "channel"}
    assert all(f"# chưa ánh xạ: {code.word} (" in text for code in left)


def test_a_new_igate_is_read_where_other_igates_are(tmp_path: Path) -> None:
    """As many values as a contract written by hand, wherever no words are translated."""
    known = load_contract(REPO / "include/sources/igate_h21.yaml")
    with gia_lai() as connection:
        text, contract = added_igate(connection, tmp_path)
        ours, theirs = filled(contract, connection, 60), filled(known, connection, 60)
        everything = filled(contract, connection, 200)  # as many as are looked at for words
        assert profile_of(contract).check_schema(contract, connection) == {}
    assert contract.dossier.fields == known.section.fields
    names = [f"{entity}.{field}" for entity, fields in known.section.fields.items() for field in fields]
    assert {name: ours[name] for name in names} == {name: theirs[name] for name in names}
    assert all(ours[name] for name in names)
    assert "# CHECK: as other iGate contracts have it; confirm with the operator\n  fields:\n" in text
    assert "DuocSoHoa" not in text.partition("\n  ignore:")[2]
    roles = text.partition("\n    document_role:\n")[2]
    papers = [int(noted(roles, role).removesuffix(" hàng")) for role in ("form:", "attachment:")]
    assert all(papers)
    assert sum(papers) == everything["document.role"]


def test_what_an_igate_never_showed_is_not_mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = items._eform
    monkeypatch.setattr(
        items, "_eform", lambda facts: {key: value for key, value in whole(facts).items() if key != "DSKetNoiCSDL"}
    )
    with gia_lai() as connection:
        text, contract = added_igate(connection, tmp_path)
    assert "DSKetNoiCSDL" not in text
    assert set(contract.dossier.fields[Entity.DOSSIER]) == {"vneid_verified", "has_digitised_component"}


def test_a_deleted_status_is_proposed_as_removed_and_not_as_an_unknown_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(items, "UNKNOWN", (items.DELETED.number,))
    with gia_lai(400) as connection:
        text, contract = added_igate(connection, tmp_path)
    line = next(line for line in text.splitlines() if line.startswith("    removed:"))
    assert contract.dossier.codes.removed == ("18",)
    assert "; 1 hàng; CHECK: as other iGate contracts have it" in line
    assert len(line) <= 120
    assert "chưa ánh xạ: 18 (" not in text
