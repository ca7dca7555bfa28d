"""Words for codes: what officials call an entity, an outcome, a mode, a state. The one place for them."""

from __future__ import annotations

from lienthong.model.kinds import ENTITIES as SPECS

#: Entities of every kind of record.
ENTITIES = {name: f"{spec.title_vi[:1].upper()}{spec.title_vi[1:]}" for name, spec in SPECS.items()}
#: What became of the rows of a load; headings of a table, broken over lines: a million must fit.
OUTCOMES = {
    "extracted": "Trích\nxuất",
    "inserted": "Thêm\nmới",
    "updated": "Cập\nnhật",
    "unchanged": "Không\nđổi",
    "duplicate": "Trùng",
    "stale": "Cũ",
    "quarantined": "Cách\nly",
}
LOAD_MODES = {
    "incremental": "đọc phần mới",
    "full": "đọc lại tất cả",
    "range": "đọc một khoảng thời gian",
}
#: How a source's newest load stands.
HEALTH = {"never_loaded": "chưa nạp", "running": "đang nạp", "failed": "LỖI", "late": "TRỄ", "fine": "xong"}
GATE_SEVERITIES = {"reject": "Cách ly", "block": "Chặn gửi", "warn": "Cảnh báo"}
FINDING_SEVERITIES = {"error": "LỖI", "warning": "CẢNH BÁO"}
CLOSE_REASONS = {
    "recovered": "đã trở lại bình thường",
    "unlisted": "cơ quan không còn trong danh mục",
    "given_up": "im lặng quá lâu, coi như đã ngừng hoạt động",
    "taken_back": "hợp đồng của nguồn đã được gỡ, không theo dõi nữa",
}
#: What our errors name before their words.
ERROR_PARTS = {"source": "nguồn", "load": "lần nạp", "key": "khóa"}
#: Columns and words of a source that nobody maps, by what they stand for.
UNMAPPED = {
    "column": "cột",
    "status": "trạng thái hồ sơ",
    "substatus": "trạng thái phụ",
    "step": "bước xử lý",
    "channel": "kênh tiếp nhận",
    "subject": "loại đối tượng",
    "return_method": "hình thức trả kết quả",
    "payment_method": "hình thức thanh toán",
    "payment_status": "trạng thái thanh toán",
    "document_role": "loại giấy tờ",
    "procedure": "mã thủ tục",
    "service": "dịch vụ",
    "set_aside": "hồ sơ không nạp",
    "originality": "loại hồ sơ",
    "removed": "hồ sơ đã xóa ở nguồn",
    "left_out": "hồ sơ nhóm",
    "zero_date": "ngày trống (0000-00-00)",
    "written_twice": "hồ sơ ghi hai lần khác nhau",
}
DAYS = {
    "working": "ngày làm việc",
    "weekend": "cuối tuần",
    "holiday": "ngày nghỉ lễ",
    "quiet": "gần Tết",
}
UNITS = {
    "ministry": "Bộ, ngành",
    "province": "Tỉnh, thành phố",
    "department": "Sở, ban, ngành",
    "commune": "Xã, phường, đặc khu",
}
SCORES = {"provisional": "tạm tính", "final": "chính thức"}
NO_DATA = "chưa có dữ liệu"
NOTHING_AROSE = "không phát sinh"
NOT_RANKED = "không phát sinh, không xếp hạng"
ABSENCES = {"no_data": NO_DATA, "nothing_arose": NOTHING_AROSE}
#: Columns of the delivery table: heading → states counted in it. "watched" are those of the waiting dossiers whose
#: source may not send; all columns together are all dossiers.
DELIVERY_COLUMNS = {
    "Đã\nđồng\nbộ": ("acknowledged",),
    "Bị\nchặn": ("blocked",),
    "Cổng\ntừ\nchối": ("rejected",),
    "Chờ\ntiếp\nnhận": ("waiting",),
    "Chỉ\ntheo\ndõi": ("watched",),
    "Còn\nnợ": ("owed", "sending"),
    "Chưa\nrõ": ("unsettled",),
    "Tạm\ndừng": ("parked",),
}
STEP_COLUMNS = {"Bước\nđã gửi": "acknowledged", "Bước\nbị từ\nchối": "rejected", "Bước\nchưa\nrõ": "unsettled"}
#: The same states inside a sentence about one push.
DELIVERY_STATES = {
    "owed": "còn nợ",
    "blocked": "bị chặn",
    "rejected": "Cổng từ chối",
    "unsettled": "chưa rõ kết quả",
    "parked": "tạm dừng gửi",
    "steps_unsettled": "bước xử lý chưa rõ kết quả",
    "waiting": "chờ tiếp nhận",
}
#: Reasons for which a delivery is blocked that are no rule of a suite.
BLOCKED_BECAUSE = {
    "dossier_code_collision": "Mã hồ sơ đã thuộc hồ sơ khác",
    "payload_defect": "Lỗi của chương trình khi lập nội dung gửi, báo người vận hành",
}
#: What a comparison with the portal says of a dossier.
COMPARED = {
    "same": "Giống hệt",
    "missing": "Cổng chưa có",
    "different": "Cổng có nhưng khác",
    "unknown": "Chưa biết",
}
DIFFERENCES = {
    "status": "khác trạng thái",
    "procedure": "khác mã TTHC",
    "retired": "mã TTHC trên Cổng đã hết hiệu lực",
    "dates": "khác ngày",
    "other": "khác trường không quyết định",
    "present": "Cổng chỉ cho biết là có, không cho xem nội dung",
    "refused": "Cổng từ chối trả lời",
    "blocked": "Trong số chưa có hoặc khác: bị chặn, sẽ không gửi",
}
ADOPTED = {
    "verified": "Đã hỏi Cổng, giống: coi là đã đồng bộ",
    "assumed": "Khai là đã đồng bộ, chưa hỏi Cổng",
    "delta": "Đã hỏi Cổng, chưa có hoặc khác (sẽ gửi, trừ hồ sơ bị chặn)",
    "ours": "Do hệ thống này gửi",
    "undecided": "Chưa quyết định",
}
UNDECIDED = {
    "parked": "Tạm dừng gửi",
    "unsettled": "Hồ sơ chưa rõ đã tới Cổng hay chưa",
    "steps": "Bước xử lý chưa rõ đã tới Cổng hay chưa",
}
UNDECIDED_ADVICE = {
    "parked": "xem lý do, rồi `lienthong delivery resume` để gửi tiếp",
    "unsettled": "không cần làm gì: hệ thống tự hỏi lại Cổng",
    "steps": "xem tiến trình trên Cổng, rồi `lienthong delivery settle --arrived` hoặc `--resend`",
}
#: Rules that park a delivery.
PARKED_BECAUSE = {
    "unanswered": "nhiều lần gửi hoặc hỏi mà Cổng không trả lời riêng hồ sơ này",
    "circling": "một lần gửi cứ phải xét lại hồ sơ này mãi: báo cho người vận hành",
}
REPORTS = {
    "workbook": "Bảng điểm đầy đủ, từng sở, từng xã, từng thành phần (XLSX)",
    "quarantine": "Báo cáo cách ly",
    "deliveries": "Việc gửi Cổng cần quyết định",
}
