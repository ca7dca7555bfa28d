"""What the steps of a load say in the logs of their tasks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from lienthong.model.codes import LoadMode, LoadState
from lienthong.model.kinds.dossier import DOSSIER_KIND
from lienthong.views.load_steps import ExtractedLoad, GatedLoad, OpenedLoad, RuleView, StagedLoad, merged_lines
from lienthong.warehouse.ledger import Load

AT = datetime(2026, 11, 5, 1, tzinfo=UTC)
LOAD = Load(
    7, "H17", "opencps_h17", DOSSIER_KIND, "run", LoadMode.RANGE, AT, AT.replace(day=6), LoadState.GATED, 1, None, AT,
    {"dossier": 1200, "step": 3}, {"dossier": 5},
)  # fmt: skip
OUTCOMES = {
    "extracted": 3, "inserted": 2, "updated": 0, "unchanged": 0, "duplicate": 0, "stale": 0, "quarantined": 1,
}  # fmt: skip


def test_an_opened_load_says_what_it_reads_and_where_it_goes_on() -> None:
    assert OpenedLoad(LOAD, None, True).lines == [
        "Đã mở lần nạp 7 của nguồn opencps_h17 (H17): đọc một khoảng thời gian (range).",
        "Mốc đã đọc trước đó: chưa có, lần nạp đầu tiên.",
        "Từ 05/11/2026 08:00 đến trước 06/11/2026 08:00, giờ Việt Nam.",
        "Theo yêu cầu, lần nạp này chấp nhận số hồ sơ giảm (accept_collapse).",
    ]
    assert OpenedLoad(LOAD, AT, False).lines[1] == "Mốc đã đọc trước đó: 05/11/2026 08:00."


def test_an_extracted_load_counts_every_entity_of_its_kind() -> None:
    lines = ExtractedLoad(LOAD, {"dossier": 301, "step": 1322, "document": 0, "fee": 0}, AT, 2).lines
    assert lines == [
        "Đã đọc xong nguồn opencps_h17 (H17), lần nạp 7.",
        "Bản ghi đã đọc: 301 hồ sơ, 1.322 bước xử lý, 0 giấy tờ, 0 phí, lệ phí.",
        "Đồng hồ của nguồn lúc bắt đầu đọc: 05/11/2026 08:00.",
        "Cột chưa ánh xạ: 2.",
    ]
    petitions = ExtractedLoad(LOAD, {"petition": 4, "petition_step": 9}, AT, 0).lines
    assert petitions[1:2] == ["Bản ghi đã đọc: 4 phản ánh, kiến nghị, 9 bước xử lý."]
    assert len(petitions) == 3, "nothing is said of columns where all are mapped"


def test_a_staged_load_says_what_is_new_and_what_was_known() -> None:
    assert StagedLoad(LOAD).lines[1:] == [
        "Mới hoặc thay đổi, sẽ kiểm tra: 1.200 hồ sơ, 3 bước xử lý, 0 giấy tờ, 0 phí, lệ phí.",
        "Đã biết từ trước, không đổi: 5 hồ sơ, 0 bước xử lý, 0 giấy tờ, 0 phí, lệ phí.",
    ]


def test_a_gated_load_names_the_rules_that_are_broken() -> None:
    broken = RuleView("dossier", "procedure_known", "block", "TTHC không có trong danh mục", 1200, 30)
    kept = replace(broken, rule_id="due_at_present", failed=0)
    assert GatedLoad(LOAD, (broken, kept), 1, 30, 0).lines == [
        "Đã kiểm tra chất lượng lần nạp 7 của nguồn opencps_h17 (H17): 1 quy tắc đạt, 1 quy tắc không đạt.",
        "Hồ sơ bị cách ly: 1, bị chặn gửi: 30; bản ghi con bị cách ly: 0.",
        "Chặn gửi (procedure_known): TTHC không có trong danh mục: 30 trong 1.200 hồ sơ.",
    ]
    merged = GatedLoad(LOAD, (kept,), None, None, None).lines
    assert len(merged) == 1, "what was staged is gone, so nothing is held back any more"


def test_a_merged_load_says_what_became_of_its_rows() -> None:
    found = {"load_id": 7, "source_id": "opencps_h17", "counts": {"step": OUTCOMES, "dossier": OUTCOMES}}
    assert merged_lines(found) == [
        "Đã nạp xong lần nạp 7 của nguồn opencps_h17: 2 hồ sơ thêm mới, 0 cập nhật, 1 cách ly.",
        "Hồ sơ: trích xuất 3, thêm mới 2, cập nhật 0, không đổi 0, trùng 0, cũ 0, cách ly 1.",
        "Bước xử lý: trích xuất 3, thêm mới 2, cập nhật 0, không đổi 0, trùng 0, cũ 0, cách ly 1.",
    ]
