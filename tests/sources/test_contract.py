"""A contract is right, or its author is told file, line and key; and one wrong contract hides no other."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from lienthong.model.codes import SourceMode
from lienthong.model.errors import ContractError, DefectError
from lienthong.model.kinds import KINDS
from lienthong.model.kinds.dossier import Entity
from lienthong.sources.contract import (
    SourceContract,
    load_contract,
    load_contract_beside_others,
    load_contracts,
    read_contracts,
)
from lienthong.sources.contract_parts import ReadLimits
from lienthong.sources.profiles import PROFILES
from lienthong.sources.sections import SECTIONS

SHIPPED = Path(__file__).resolve().parents[2] / "include/sources"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The contracts of the two OpenCPS provinces, to change."""
    folder = tmp_path / "sources"
    folder.mkdir()
    for path in SHIPPED.glob("opencps_*.yaml"):
        shutil.copy(path, folder)
    return folder


def edited(folder: Path, old: str, new: str, name: str = "opencps_h17.yaml") -> Path:
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def line_of(path: Path, start: str) -> int:
    lines = path.read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, start=1) if line.strip().startswith(start))


def complaint(path: Path) -> str:
    with pytest.raises(ContractError) as caught:
        load_contract(path)
    message = str(caught.value)
    assert path.name in message
    assert f"source {path.stem}" in message
    assert "Next:" in message
    return message


def test_the_shipped_contracts_are_valid_and_sorted() -> None:
    contracts = load_contracts(SHIPPED)
    assert list(contracts) == sorted(path.stem for path in SHIPPED.glob("*.yaml"))
    assert {contract.kind.name for contract in contracts.values()} == {"dossier", "petition", "rating"}
    h17 = contracts["opencps_h17"]
    assert (h17.tenant, h17.dossier.mode, h17.overlap) == ("H17", SourceMode.OWN, timedelta(days=2))
    assert (h17.dossier.codes.step["100"], h17.dossier.codes.status["done"]) == (1, 10)
    assert h17.dossier.entities == tuple(Entity)
    assert h17.zone.key == "Asia/Ho_Chi_Minh"


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("overlap: 2d", "overlapp: 2d", "overlapp:", "unknown key 'overlapp' (did you mean 'overlap'?)"),
        ("overlap: 2d", "overlapp: 2d", "overlapp:", "key 'overlap' is missing"),
        ("overlap: 2d", "overlap: 2 days", "overlap:", "'overlap': a duration is written as number and unit"),
        ("overlap: 2d", "overlap: 90m", "overlap:", "an overlap is at least 2h"),
        ("pause_ms: 0", "pause_sm: 0", "read:", "'read.pause_sm' (did you mean 'pause_ms'?)"),
        ("mode: own", "mode: onw", "mode:", "can't be 'onw' (did you mean 'own'?)"),
        ("profile: opencps", "profile: opencsp", "profile:", "unknown profile (did you mean 'opencps'?)"),
        ("Asia/Ho_Chi_Minh ", "Asia/Ho_Chi_Min ", "time_zone:", "did you mean 'Asia/Ho_Chi_Minh'?"),
        ("precedence: 10", "precedence: first", "precedence:", "valid integer"),
        ("precedence: 10", "precedence: 10.5", "precedence:", "precedence"),
        ("tenant: H17", "tenant: 17", "tenant:", "valid string"),
        ("tenant: H17", "tenant: DaNang", "tenant:", "'tenant'"),
        ("agency: H17 ", "agency: 000.00.05.H17 ", "agency:", "write H17.05"),
        ('"*/30 * * * *"', '"*/30 * * *"', "schedule:", "not a cron expression"),
        ('"*/30 * * * *"', '"99 * * * *"', "schedule:", "not a cron expression"),
        ('"0 1 * * 0"', '"0 1 * * Sundays"', "full:", "'full': not a cron expression"),
        ("pause_ms: 0}", 'pause_ms: 0, hours: "19:00-01:00"}', "full:", "'full': begins outside read.hours"),
        ("[dossier, step,", "[dossier, steps,", "entities:", "did you mean 'step'?"),
        ("[dossier, step,", "[step,", "entities:", "'dossier.entities': 'dossier' must be there"),
        ("url: url", "url: name\n        link: name", "extensions:", "field 'name' of a document is filled twice"),
        ("processing: 4", "processing: 44", "processing:", "less than or equal to 10"),
        ("vneid_verified", "vneid_verfied", "extensions:", "did you mean 'vneid_verified'?"),
        ("      denied: 3 ", "      new: 3 ", "new: 3", "has the key 'new' twice"),
        ("source_id: opencps_h17", "source_id: opencps_h71", "source_id:", "not the name of the file"),
        (
            "substatus: {}",
            "substatus: {by_court: 8}",
            "substatus:",
            "write the status before the sub-status: <status>/by",
        ),
        ("9: left_out", "9: gone", "originality:", "can't be 'gone'; it is one of live, removed, left_out"),
        ("codes:", "codes: {", "", "is not YAML"),
        (
            "dossier:\n",
            "dosier:\n",
            "dosier:",
            "no section of a kind (did you mean 'dossier'?)",
        ),
    ],
)
def test_a_mistake_is_named_with_file_line_and_key(folder: Path, old: str, new: str, line: str, words: str) -> None:
    path = edited(folder, old, new)
    message = complaint(path)
    assert words in message
    if not words.startswith("key ") and line:
        assert f"Line {line_of(path, line)}:" in message


def test_all_mistakes_of_a_file_are_named_at_once(folder: Path) -> None:
    edited(folder, "mode: own", "mode: onw")
    path = edited(folder, "precedence: 10", "precedence: x")
    message = complaint(path)
    assert f"Line {line_of(path, 'mode:')}:" in message
    assert f"Line {line_of(path, 'precedence:')}:" in message


def test_a_contract_that_is_silent_about_a_newer_key_keeps_its_hash() -> None:
    """Else every load after an upgrade would take its code maps for changed, and ask an iGate for all papers again."""
    igate = load_contract(SHIPPED / "igate_h21.yaml").model_dump(mode="json")
    assert "originality" not in igate["section"]["codes"]
    assert "timeout_s" not in igate["read"]
    h17 = load_contract(SHIPPED / "opencps_h17.yaml")
    assert h17.model_dump(mode="json")["section"]["codes"]["originality"]["-3"] == "removed"
    patient = h17.model_copy(update={"read": ReadLimits(timeout_s=601)})
    assert patient.contract_hash != h17.contract_hash


def test_a_wrong_contract_does_not_hide_the_others(folder: Path) -> None:
    edited(folder, "mode: own", "mode: onw")
    (folder / "opencps_h99.yml").write_text("title: x")
    (folder / "empty.yaml").write_text("")
    (folder / "latin.yaml").write_bytes("title: Đà Nẵng".encode("utf-16"))
    contracts = read_contracts(folder)
    assert list(contracts.valid) == ["opencps_h26"]
    assert sorted(str(error.source) for error in contracts.errors) == ["empty", "latin", "opencps_h17", "opencps_h99"]
    with pytest.raises(ContractError):
        load_contracts(folder)


def second_source(folder: Path, *changes: tuple[str, str]) -> ContractError:
    """Another source of Đà Nẵng; returns why it is refused."""
    shutil.copy(folder / "opencps_h17.yaml", folder / "other_h17.yaml")
    for old, new in (("source_id: opencps_h17", "source_id: other_h17"), *changes):
        edited(folder, old, new, "other_h17.yaml")
    contracts = read_contracts(folder)
    assert list(contracts.valid) == ["opencps_h17", "opencps_h26"]
    (error,) = contracts.errors
    assert error.source == "other_h17"
    return error


def test_two_sources_can_not_share_a_connection(folder: Path) -> None:
    assert "src_opencps_h17" in str(second_source(folder))


def test_two_sources_of_a_tenant_need_different_precedence(folder: Path) -> None:
    error = second_source(folder, ("connection: src_opencps_h17", "connection: src_other"))
    assert "two sources of precedence 10" in str(error)


def test_two_sources_of_a_tenant_send_through_one_portal_account(folder: Path) -> None:
    changes = [("src_opencps_h17", "src_other"), ("precedence: 10", "precedence: 20"), ("portal_h17", "portal_x")]
    assert "portal_h17" in str(second_source(folder, *changes))


def test_a_second_source_of_a_tenant_with_its_own_precedence_is_welcome(folder: Path) -> None:
    shutil.copy(folder / "opencps_h17.yaml", folder / "other_h17.yaml")
    for old, new in (
        ("source_id: opencps_h17", "source_id: other_h17"),
        ("src_opencps_h17", "src_other"),
        ("precedence: 10", "precedence: 20"),
    ):
        edited(folder, old, new, "other_h17.yaml")
    assert list(read_contracts(folder).valid) == ["opencps_h17", "opencps_h26", "other_h17"]


def test_one_contract_is_refused_for_its_own_clash_and_not_for_the_errors_of_others(folder: Path) -> None:
    clash = second_source(folder)
    (folder / "broken.yaml").write_text("mode: [")
    (folder / "opencps_h17.yml").write_text("mode: own")
    with pytest.raises(ContractError) as caught:
        load_contract_beside_others(folder / "other_h17.yaml")
    assert str(caught.value) == str(clash)
    assert load_contract_beside_others(folder / "opencps_h17.yaml").source_id == "opencps_h17"


def test_the_contract_s_hash_follows_what_is_read_and_not_the_wording(folder: Path) -> None:
    before = load_contract(folder / "opencps_h17.yaml").contract_hash
    edited(folder, 'title: "Đà Nẵng,', 'title: "Thành phố Đà Nẵng,')
    edited(folder, "*/30", "*/15")
    edited(folder, "# mới đăng ký", "# khác")
    assert load_contract(folder / "opencps_h17.yaml").contract_hash == before
    edited(folder, "processing: 4", "processing: 5")
    assert load_contract(folder / "opencps_h17.yaml").contract_hash != before


def test_words_keep_their_spelling_whatever_yaml_thinks_of_them(folder: Path) -> None:
    path = edited(folder, "      new: 2 ", "      no: 2\n      0100: 1\n      10:30: 4\n      ~: 5\n      new: 2 ")
    status = load_contract(path).dossier.codes.status
    assert (status["no"], status["0100"], status["10:30"], status["~"]) == (2, 1, 4, 5)


def test_a_missing_folder_is_an_error_and_not_an_empty_list(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="does not exist"):
        load_contracts(tmp_path / "nowhere")


def test_reading_contracts_does_not_import_what_dag_files_must_not_pay_for() -> None:
    code = (
        "import sys, pathlib; from lienthong.sources.contract import load_contracts; "
        f"load_contracts(pathlib.Path({str(SHIPPED)!r})); "
        "heavy = {'pandas', 'polars', 'pyarrow', 'sqlalchemy', 'great_expectations', 'airflow'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    plugins = SHIPPED.parents[1] / "plugins"
    done = subprocess.run([sys.executable, "-c", code], cwd=plugins, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_path_of_a_field_names_a_field_that_exists(tmp_path: Path) -> None:
    path = tmp_path / "igate_h21.yaml"
    text = (SHIPPED / "igate_h21.yaml").read_text(encoding="utf-8")
    path.write_text(text.replace("vneid_verified:", "vneid_verifed:"), encoding="utf-8")
    message = complaint(path)
    assert "vneid_verifed" in message
    assert "vneid_verified" in message
    path.write_text(text.replace("eForm.data.Tai", "eForm..Tai"), encoding="utf-8")
    assert "dossier.fields.dossier.vneid_verified" in complaint(path)


def test_the_two_igate_contracts_differ_in_their_names_only() -> None:
    contracts = load_contracts(SHIPPED)
    one, two = (contracts[name].model_dump() for name in ("igate_h21", "igate_h13"))
    assert {name for name in one if one[name] != two[name]} == {
        "source_id", "title", "connection", "tenant", "agency", "schedule", "full", "section",
    }  # fmt: skip
    here, there = one["section"], two["section"]
    assert {name for name in here if here[name] != there[name]} == {"portal_connection"}


def bomb(levels: int = 9, wide: int = 9) -> str:
    """A few hundred bytes that are a billion values when their references are written out."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * wide)}]" for n in range(1, levels)]
    return "\n".join(lines)


HOSTILE = {
    "bomb": (bomb(), "uses a reference"),
    "deep": ("x: " + "[" * 50_000, "deeper than 20 levels"),
    "deep_blocks": ("\n".join(" " * level + "x:" for level in range(300)), "deeper than 20 levels"),
    "endless_number": ("volume: " + "9" * 5000, "a number of 5000 digits"),
    "endless_fraction": ("volume: 1." + "9" * 5000, "a number of 5002 digits"),
    "huge": ("x: " + "y" * 300_000, "longer than 131072 characters"),
    "many_keys": ("\n".join(f"k{n}: 1" for n in range(9000)), "more."),
    "no_character": ('title: "\\UFFFFFFFF"', "a character that there is not"),
    "surrogate": ('title: "\\ud800"', "not valid"),
    "control": ("title: \x1b[2J", "not YAML"),
    "itself": ("x: &x [*x]", "uses a reference"),
    "endless_overlap": ("overlap: 99999999999999999d", "not valid"),
    "endless_cron": ("schedule: '0-999999999999 * * * *'", "not valid"),
}


@pytest.mark.timeout(60)
def test_a_hostile_contract_is_one_broken_one_among_good_ones(folder: Path) -> None:
    good = (folder / "opencps_h17.yaml").read_text(encoding="utf-8")
    for name, (text, _) in HOSTILE.items():
        key = text.partition(":")[0]
        kept = [line for line in good.splitlines() if not line.startswith(f"{key}:")]  # else as a contract should be
        whole = text if name in ("bomb", "itself") else "\n".join([*kept, text])
        (folder / f"{name}.yaml").write_text(whole, encoding="utf-8")
    (folder / "folder.yaml").mkdir()
    os.mkfifo(folder / "pipe.yaml")
    found = read_contracts(folder)
    assert sorted(found.valid) == ["opencps_h17", "opencps_h26"]
    told = {error.source: str(error) for error in found.errors}
    assert set(told) == {*HOSTILE, "folder", "pipe"}
    for name, (_, words) in HOSTILE.items():
        assert f"{name}.yaml" in told[name]
        assert words in told[name]
    assert max(len(error) for error in told.values()) < 10_000


def test_what_is_shown_of_a_contract_names_nobody(folder: Path) -> None:
    told = complaint(edited(folder, "mode: own", "mode: Nguyễn Thị Hoa 0905123456"))
    assert "'dossier.mode' can't be '… …'" in told


def test_a_contract_is_parsed_again_only_when_it_was_changed(folder: Path) -> None:
    path = folder / "opencps_h17.yaml"
    first = load_contract(path)
    assert load_contract(path) is first
    edited(folder, "overlap: 2d", "overlap: 3d")
    assert load_contract(path).overlap == timedelta(days=3)


PETITIONS = """
source_id: pakn_h17
title: Phản ánh của Đà Nẵng
profile: opencps
connection: src_opencps_h17
tenant: H17
agency: H17
time_zone: Asia/Ho_Chi_Minh
schedule: "@hourly"
overlap: 2d
petition:
  codes:
    classification: {hanh_vi: 1}
    status: {moi: 1, tra_loi: 5}
"""
RATINGS = (
    PETITIONS.replace("petition:", "rating:").replace("pakn", "ratings").partition("  codes:")[0]
    + """\
  dossiers_of: opencps_h17
  codes:
    satisfaction: {hai_long: 3}
"""
)


@pytest.fixture
def many_kinds(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder with petitions and ratings of Đà Nẵng's system, which reads them in this test."""
    modules = dict.fromkeys(KINDS, "nowhere")
    monkeypatch.setitem(PROFILES, "opencps", modules)
    (folder / "pakn_h17.yaml").write_text(PETITIONS, encoding="utf-8")
    (folder / "ratings_h17.yaml").write_text(RATINGS, encoding="utf-8")
    return folder


def test_kinds_of_one_system_have_a_contract_each_over_one_connection(many_kinds: Path) -> None:
    found = read_contracts(many_kinds)
    assert [str(error) for error in found.errors] == []
    kinds = {source_id: contract.kind.name for source_id, contract in found.valid.items()}
    assert kinds == {
        "opencps_h17": "dossier", "opencps_h26": "dossier", "pakn_h17": "petition", "ratings_h17": "rating",
    }  # fmt: skip
    petitions, ratings = found.valid["pakn_h17"], found.valid["ratings_h17"]
    assert petitions.petition.entities == ("petition", "petition_step")
    assert petitions.petition.codes.status == {"moi": 1, "tra_loi": 5}
    assert ratings.rating.refers_to == ("opencps_h17",)


def test_only_a_source_of_dossiers_is_sent_and_has_a_mode(many_kinds: Path) -> None:
    found = read_contracts(many_kinds).valid
    sent = {source_id: contract.section.delivery for source_id, contract in found.items() if contract.section.delivery}
    assert {source_id: delivery.mode for source_id, delivery in sent.items()} == {
        "opencps_h17": SourceMode.OWN, "opencps_h26": SourceMode.OWN,
    }  # fmt: skip
    assert {delivery.account for delivery in sent.values()} == {"portal_h17", "portal_h26"}


def test_code_that_serves_another_kind_is_told_so_instead_of_reading_nothing(many_kinds: Path) -> None:
    petitions = load_contract(many_kinds / "pakn_h17.yaml")
    with pytest.raises(DefectError, match="'dossier' was given a contract of kind 'petition'") as caught:
        _ = petitions.dossier
    assert caught.value.source == "pakn_h17"


def test_two_sources_of_one_kind_still_can_not_share_a_connection(many_kinds: Path) -> None:
    text = PETITIONS.replace("pakn_h17", "pakn2_h17")
    (many_kinds / "pakn2_h17.yaml").write_text(text, encoding="utf-8")
    [error] = read_contracts(many_kinds).errors
    assert "'src_opencps_h17' is already the connection of source 'pakn2_h17'" in str(error)


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("tra_loi: 5", "tra_loi: 55", "status:", "less than or equal to 8"),
        ("hanh_vi: 1", "hanh_vi: no", "classification:", "'petition.codes.classification.hanh_vi'"),
        ("  codes:", "  mode: own\n  codes:", "mode:", "unknown key 'petition.mode'"),
        ("  codes:", "  fields: {petition: {sent: a.b}}\n  codes:", "fields:", "did you mean 'sent_at'?"),
        ("  codes:", "  entities: [petition_step]\n  codes:", "entities:", "'petition' must be there"),
        ("overlap: 2d", "overlap: 2d\nfields: {}", "fields:", "key 'fields' belongs below `petition:`"),
        ("petition:", "rating: {}\npetition:", "petition:", "has `rating:` and `petition:`: each kind has a contract"),
    ],
)
def test_a_mistake_in_another_kind_s_section_is_named_as_well(
    many_kinds: Path, old: str, new: str, line: str, words: str
) -> None:
    path = edited(many_kinds, old, new, "pakn_h17.yaml")
    message = complaint(path)
    assert words in message
    assert f"Line {line_of(path, line)}:" in message


def test_ratings_of_a_source_that_is_not_there_are_refused(many_kinds: Path) -> None:
    path = edited(many_kinds, "dossiers_of: opencps_h17", "dossiers_of: opencps_h71", "ratings_h17.yaml")
    assert "names source 'opencps_h71', which has no contract" in complaint(path)


def test_a_profile_that_does_not_read_a_kind_says_which_it_reads(folder: Path) -> None:
    path = folder / "pakn_h17.yaml"
    path.write_text(PETITIONS, encoding="utf-8")
    told = complaint(path)
    assert "profile 'opencps' does not read records of kind 'petition'; it reads: dossier" in told
    assert f"Line {line_of(path, 'profile:')}:" in told


def test_a_contract_from_before_sections_is_told_which_keys_move(folder: Path) -> None:
    path = folder / "opencps_h17.yaml"
    head, _, section = path.read_text(encoding="utf-8").partition("dossier:\n")
    path.write_text(head + "\n".join(line.removeprefix("  ") for line in section.splitlines()), encoding="utf-8")
    told = complaint(path)
    assert (
        "the keys portal_connection, mode, history, precedence, entities, volatile_query, codes, extensions, ignore "
        "belong below `dossier:`"
    ) in told
    assert f"Line {line_of(path, 'portal_connection:')}:" in told


def test_no_key_of_a_section_is_one_of_the_envelope_s_too() -> None:
    """Else a contract's hash, which is made of both together, would leave one out."""
    for section in SECTIONS.values():
        assert not set(section.model_fields) & set(SourceContract.model_fields)


def test_the_hash_of_a_contract_is_what_it_was_before_sections() -> None:
    """A new one would make every load after the upgrade stage everything again. Source of the value: version 0.1."""
    assert load_contract(SHIPPED / "opencps_h17.yaml").contract_hash.startswith("21ebea75a2f642e9")
