"""Code lists of the exchange (portal-exchange §4). Values are the portal's; members carry the Vietnamese label."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class DossierStatus(IntEnum):
    """TrangThaiHoSo: the ten statuses of a dossier, also used by progress steps (§4.1)."""

    REGISTERED = 1
    RECEIVED = 2
    NOT_ACCEPTED = 3
    PROCESSING = 4
    SUPPLEMENT_REQUESTED = 5
    FINANCIAL_DUTY = 6
    WITHDRAWN = 7
    STOPPED = 8
    FINISHED = 9
    RETURNED = 10

    @property
    def label_vi(self) -> str:
        return _STATUS_LABELS[self]


_STATUS_LABELS = {
    DossierStatus.REGISTERED: "Mới đăng ký",
    DossierStatus.RECEIVED: "Được tiếp nhận",
    DossierStatus.NOT_ACCEPTED: "Không được tiếp nhận",
    DossierStatus.PROCESSING: "Đang xử lý",
    DossierStatus.SUPPLEMENT_REQUESTED: "Yêu cầu bổ sung giấy tờ",
    DossierStatus.FINANCIAL_DUTY: "Yêu cầu thực hiện nghĩa vụ tài chính",
    DossierStatus.WITHDRAWN: "Công dân yêu cầu rút hồ sơ",
    DossierStatus.STOPPED: "Dừng xử lý",
    DossierStatus.FINISHED: "Đã xử lý xong",
    DossierStatus.RETURNED: "Đã trả kết quả",
}


class PetitionClass(IntEnum):
    """What a petition is about. Ours: the portal's own list for indicator 5.1 is not published."""

    BEHAVIOUR = 1  # phản ánh về hành vi: chậm trễ, gây phiền hà, không thực hiện
    REGULATION = 2  # phản ánh, kiến nghị về quy định hành chính
    OTHER = 3


class PetitionStatus(IntEnum):
    """Where a petition stands. Ours: nobody has published the numbers of the national PAKN system."""

    SENT = 1
    TRANSFERRED = 2
    SUPPLEMENT_REQUESTED = 3
    PROCESSING = 4
    ANSWERED = 5
    PUBLISHED = 6
    REFUSED = 7
    WITHDRAWN = 8

    @property
    def label_vi(self) -> str:
        return _PETITION_LABELS[self]


_PETITION_LABELS = {
    PetitionStatus.SENT: "Mới gửi",
    PetitionStatus.TRANSFERRED: "Đã chuyển cơ quan xử lý",
    PetitionStatus.SUPPLEMENT_REQUESTED: "Yêu cầu bổ sung thông tin",
    PetitionStatus.PROCESSING: "Đang xử lý",
    PetitionStatus.ANSWERED: "Đã trả lời",
    PetitionStatus.PUBLISHED: "Đã công khai",
    PetitionStatus.REFUSED: "Từ chối tiếp nhận",
    PetitionStatus.WITHDRAWN: "Đã rút",
}


class Satisfaction(IntEnum):
    """How content somebody is with how a dossier was handled, in the three steps that provinces ask for."""

    DISSATISFIED = 1
    ACCEPTABLE = 2
    SATISFIED = 3


class OnlinePayment(IntEnum):
    """DuocThanhToanTrucTuyen (§4.5): 0 and 3 both mean "none" (the difference is unverified; we send 0)."""

    NONE = 0
    PORTAL = 1
    OWN_GATEWAY = 2


class Severity(StrEnum):
    """What a failed expectation does to its dossier (architecture, "The gate")."""

    REJECT = "reject"
    BLOCK = "block"
    WARN = "warn"


class SourceMode(StrEnum):
    """How far a source's dossiers travel: seen only, payloads compared, or sent."""

    OBSERVE = "observe"
    SHADOW = "shadow"
    OWN = "own"


class HistoryPolicy(StrEnum):
    """What the first push of a source in `own` does with dossiers from long before that nobody has adopted."""

    REFUSE = "refuse"
    SEND = "send"


class LoadMode(StrEnum):
    """What a load reads. Range and full never move the watermark."""

    INCREMENTAL = "incremental"
    RANGE = "range"
    FULL = "full"


class LoadState(StrEnum):
    """Steps of a load; each is reached once, in this order, in one transaction. A failed step leaves the state."""

    OPENED = "opened"
    EXTRACTED = "extracted"
    STAGED = "staged"
    GATED = "gated"
    MERGED = "merged"


class DeliveryState(StrEnum):
    """Where one dossier's delivery to the portal stands."""

    WAITING = "waiting"  # not received yet: no dossier code, nothing is owed
    BLOCKED = "blocked"  # the gate forbids sending it; reasons are kept
    OWED = "owed"
    SENDING = "sending"  # leased by a drain
    ACKNOWLEDGED = "acknowledged"
    REJECTED = "rejected"  # the portal refused this version; a newer version is owed again
    UNSETTLED = "unsettled"  # sent, outcome unknown: the portal is asked before anything is sent again
    PARKED = "parked"  # set aside by a person or a rule until somebody resumes it
