"""What quality teams open: counts, keys and Vietnamese words; nothing personal, unescaped or from afar."""

from __future__ import annotations

import csv
import re
from html.parser import HTMLParser
from pathlib import Path

from sqlalchemy import Engine, text

from lienthong.model.codes import Severity
from lienthong.quality.report import Example, quarantine_report, source_summaries, write_quarantine_report
from tests.quality.staged import TENANT, dossier, load, step

BAD = {"type_errors": ["due_at"]}


class Page(HTMLParser):
    """Text and tags of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def believe(engine: Engine, source_key: str, dossier_code: str) -> None:
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO dossier.source_record (tenant, source_id, source_key, dossier_id, version, record_hash, "
                "recipe, observed_at, load_id, dossier_code) "
                "VALUES ('H17', 'h17_opencps', :key, gen_random_uuid(), 1, '', 1, now(), 1, :code)"
            ),
            {"key": source_key, "code": dossier_code},
        )


def test_the_report_counts_rules_with_examples_rejects_first(prepared: Engine) -> None:
    believe(prepared, "1", "H17.05-261001-0001")
    believe(prepared, "2", "Nguyễn Văn An")
    rows = [
        dossier("1", agency_name=None),
        dossier("2", agency_name=None),
        dossier("3", **BAD),
        dossier("4", channel=0),
    ]
    load(prepared, "1", dossier=rows, step=[step("4", "a", occurred_at=None), step("4", "b", occurred_at=None)])
    report = quarantine_report(prepared, TENANT)
    assert [(r.rule_id, r.severity, r.records, r.dossiers) for r in report] == [
        ("dossier_typed", Severity.REJECT, 1, 1),
        ("agency_named", Severity.BLOCK, 2, 2),
        ("channel_known", Severity.WARN, 1, 1),
        ("step_dated", Severity.WARN, 2, 1),
    ]
    assert report[1].title_vi == "Thiếu tên đơn vị xử lý"
    assert "Cần cập nhật" in report[1].explanation_vi
    assert report[1].examples == (Example("1", "H17.05-261001-0001"), Example("2", None))
    assert quarantine_report(prepared, None) == report
    assert quarantine_report(prepared, "H26") == []
    (summary,) = source_summaries(prepared, None)
    assert (summary.quarantined_dossiers, summary.blocked_dossiers, summary.warned_dossiers) == (1, 2, 1)


def test_what_was_put_right_is_no_longer_reported(prepared: Engine) -> None:
    load(prepared, "1", dossier=[dossier("1", agency_name=None), dossier("2", **BAD)])
    load(prepared, "2", dossier=[dossier("1"), dossier("2")])
    assert quarantine_report(prepared, None) == []
    (summary,) = source_summaries(prepared, TENANT)
    assert (summary.quarantined_dossiers, summary.blocked_dossiers, summary.warned_dossiers) == (0, 0, 0)


def test_a_page_shows_at_most_fifty_dossiers_of_a_rule_and_the_list_beside_it_all(
    prepared: Engine, tmp_path: Path
) -> None:
    load(prepared, "1", dossier=[dossier(f"key-{n:03}", agency_name=None) for n in range(60)])
    page, listing = write_quarantine_report(prepared, tmp_path / "new" / "bao-cao.html")
    assert listing == page.with_suffix(".csv")
    words = "".join(Page(page.read_text("utf-8")).words)
    assert len(set(re.findall(r"key-\d{3}", words))) == 50
    assert "50 hồ sơ gần nhất trong số 60" in words
    assert listing.read_bytes().startswith(b"\xef\xbb\xbf")
    with listing.open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert [row["Khóa hồ sơ ở nguồn"] for row in rows] == [f"key-{n:03}" for n in range(60)]
    assert {(row["Tỉnh/Bộ"], row["Mức độ"], row["Đối tượng"], row["Quy tắc"]) for row in rows} == {
        ("H17", "Chặn gửi", "Hồ sơ", "agency_named")
    }
    assert set(page.parent.iterdir()) == {page, listing}


def test_the_page_escapes_everything_and_loads_nothing_from_elsewhere(prepared: Engine, tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    load(prepared, "1", dossier=[dossier(evil, agency_name=None), dossier("=cmd()", agency_name=None)])
    with prepared.begin() as connection:
        connection.execute(text("UPDATE quality.rule SET title_vi = :evil, owner = :evil"), {"evil": f"{evil}&'\""})
        connection.execute(
            text("INSERT INTO ops.source VALUES ('H17', 'h17_opencps', :evil, 1, 'own', '')"), {"evil": evil}
        )
    page, listing = write_quarantine_report(prepared, tmp_path / "bao-cao.html")
    content = page.read_text("utf-8")
    parsed = Page(content)
    assert evil in "".join(parsed.words)
    assert not {"script", "link", "img", "iframe", "object"} & {tag for tag, _ in parsed.tags}
    assert not [attrs for _, attrs in parsed.tags if {"src", "href", "onclick", "style"} & set(attrs)]
    assert "http:" not in content
    assert "https:" not in content
    with listing.open(encoding="utf-8-sig", newline="") as handle:
        keys = [row["Khóa hồ sơ ở nguồn"] for row in csv.DictReader(handle)]
    assert sorted(keys) == ["'=cmd()", evil]


def test_the_report_holds_no_personal_value(prepared: Engine, tmp_path: Path) -> None:
    names = ("applicant_name", "applicant_phone", "applicant_email", "applicant_address", "abstract", "dossier_code")
    planted = dict.fromkeys(names, "PLANTED") | {"applicant_id_number": "000000001"}
    load(prepared, "1", dossier=[dossier("1", **planted), dossier("2", **planted, **BAD)])
    believe(prepared, "1", "PLANTED")
    for path in write_quarantine_report(prepared, tmp_path / "bao-cao.html"):
        content = path.read_text("utf-8")
        assert "PLANTED" not in content
        assert not re.search(r"(?<!\d)000000001(?!\d)", content.replace("như 000000001", ""))


def test_a_warehouse_without_loads_gives_a_page_that_says_so(warehouse: Engine, tmp_path: Path) -> None:
    page, _ = write_quarantine_report(warehouse, tmp_path / "bao-cao.html")
    assert "Chưa có nguồn nào được nạp." in page.read_text("utf-8")


def test_writing_the_report_twice_gives_the_same_files(prepared: Engine, tmp_path: Path) -> None:
    load(prepared, "1", dossier=[dossier("1", agency_name=None), dossier(None)])
    first = [path.read_bytes() for path in write_quarantine_report(prepared, tmp_path / "bao-cao.html")]
    assert [path.read_bytes() for path in write_quarantine_report(prepared, tmp_path / "bao-cao.html")] == first
