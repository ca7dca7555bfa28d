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
from lienthong.model.errors import ContractError
from lienthong.model.kinds.dossier import Entity
from lienthong.sources.contract import load_contract, load_contract_beside_others, load_contracts, read_contracts
from lienthong.sources.contract_parts import ReadLimits

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
    assert list(contracts) == ["igate_h13", "igate_h21", "opencps_h17", "opencps_h26"]
    h17 = contracts["opencps_h17"]
    assert (h17.tenant, h17.mode, h17.overlap) == ("H17", SourceMode.OWN, timedelta(days=2))
    assert (h17.codes.step["100"], h17.codes.status["done"]) == (1, 10)
    assert h17.entities == tuple(Entity)
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
        ("[dossier, step,", "[step,", "entities:", "'entities': 'dossier' must be there"),
        ("url: url", "url: name\n      link: name", "extensions:", "field 'name' of a document is filled twice"),
        ("processing: 4", "processing: 44", "processing:", "less than or equal to 10"),
        ("vneid_verified", "vneid_verfied", "extensions:", "did you mean 'vneid_verified'?"),
        ("    denied: 3 ", "    new: 3 ", "new: 3", "has the key 'new' twice"),
        ("source_id: opencps_h17", "source_id: opencps_h71", "source_id:", "not the name of the file"),
        (
            "substatus: {}",
            "substatus: {by_court: 8}",
            "substatus:",
            "write the status before the sub-status: <status>/by",
        ),
        ("9: left_out", "9: gone", "originality:", "can't be 'gone'; it is one of live, removed, left_out"),
        ("codes:", "codes: {", "", "is not YAML"),
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
    assert "originality" not in igate["codes"]
    assert "timeout_s" not in igate["read"]
    h17 = load_contract(SHIPPED / "opencps_h17.yaml")
    assert h17.model_dump(mode="json")["codes"]["originality"]["-3"] == "removed"
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
    path = edited(folder, "    new: 2 ", "    no: 2\n    0100: 1\n    10:30: 4\n    ~: 5\n    new: 2 ")
    status = load_contract(path).codes.status
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
    assert "fields.dossier.vneid_verified" in complaint(path)


def test_the_two_igate_contracts_differ_in_their_names_only() -> None:
    contracts = load_contracts(SHIPPED)
    one, two = (contracts[name].model_dump() for name in ("igate_h21", "igate_h13"))
    assert {name for name in one if one[name] != two[name]} == {
        "source_id", "title", "connection", "tenant", "agency", "portal_connection", "schedule", "full",
    }  # fmt: skip


def bomb(levels: int = 9, wide: int = 9) -> str:
    """A few hundred bytes that are a billion values when their references are written out."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * wide)}]" for n in range(1, levels)]
    return "\n".join(lines)


HOSTILE = {
    "bomb": (bomb(), "uses a reference"),
    "deep": ("x: " + "[" * 50_000, "deeper than 20 levels"),
    "deep_blocks": ("\n".join(" " * level + "x:" for level in range(300)), "deeper than 20 levels"),
    "endless_number": ("precedence: " + "9" * 5000, "a number of 5000 digits"),
    "endless_fraction": ("precedence: 1." + "9" * 5000, "a number of 5002 digits"),
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
    assert "'mode' can't be '… …'" in told


def test_a_contract_is_parsed_again_only_when_it_was_changed(folder: Path) -> None:
    path = folder / "opencps_h17.yaml"
    first = load_contract(path)
    assert load_contract(path) is first
    edited(folder, "overlap: 2d", "overlap: 3d")
    assert load_contract(path).overlap == timedelta(days=3)
