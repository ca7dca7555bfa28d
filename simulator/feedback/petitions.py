"""A petition (phản ánh, kiến nghị): its compact plan, and everything that follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from random import Random

from simulator.catalogue import Agency, Catalogue, Province
from simulator.people import Applicant, applicant, person_name
from simulator.streams import pick
from simulator.workdays import Workdays


class Desk(StrEnum):
    """The systems that take petitions."""

    PAKN = "pakn"  # the national one
    HOTLINE = "hotline"  # a city's 1022


class Act(IntEnum):
    """What can happen to a petition."""

    SENT = 1
    TRANSFERRED = 2
    SUPPLEMENT_ASKED = 3
    SUPPLEMENTED = 4
    PROCESSING = 5
    ANSWERED = 6
    PUBLISHED = 7
    REFUSED = 8
    WITHDRAWN = 9


#: The word of the ledger for where a petition stands after an act.
STATUS_AFTER = {
    Act.SENT: "sent",
    Act.TRANSFERRED: "transferred",
    Act.SUPPLEMENT_ASKED: "supplement_requested",
    Act.SUPPLEMENTED: "processing",
    Act.PROCESSING: "processing",
    Act.ANSWERED: "answered",
    Act.PUBLISHED: "published",
    Act.REFUSED: "refused",
    Act.WITHDRAWN: "withdrawn",
}
#: Acts after which nothing more happens.
CLOSING = frozenset({Act.PUBLISHED, Act.REFUSED, Act.WITHDRAWN})
#: The classes: about somebody's behaviour, about a regulation, another.
CLASSES = ("behaviour", "regulation", "other")
#: An answer is due so many working days after sending or the latest transfer (index-766 §5).
ANSWER_DAYS = 15

_NOTES = {
    Act.SENT: ("Người dân gửi phản ánh, kiến nghị", "Tiếp nhận qua tổng đài"),
    Act.TRANSFERRED: ("Chuyển đơn vị có thẩm quyền xử lý", "Phân công đơn vị trả lời"),
    Act.SUPPLEMENT_ASKED: ("Đề nghị bổ sung thông tin, hình ảnh", "Nội dung chưa rõ, đề nghị bổ sung"),
    Act.SUPPLEMENTED: ("Người dân đã bổ sung thông tin",),
    Act.PROCESSING: ("Đang xác minh nội dung phản ánh", "Đang lấy ý kiến phòng chuyên môn"),
    Act.ANSWERED: ("Đã trả lời người dân",),
    Act.PUBLISHED: ("Công khai kết quả trả lời",),
    Act.REFUSED: ("Không thuộc phạm vi tiếp nhận", "Nội dung trùng lặp"),
    Act.WITHDRAWN: ("Người dân rút phản ánh",),
}
_TITLES = {
    "behaviour": (
        "Chậm giải quyết hồ sơ tại bộ phận một cửa", "Cán bộ yêu cầu giấy tờ ngoài quy định",
        "Thái độ phục vụ của công chức", "Hồ sơ quá hẹn chưa trả kết quả",
    ),
    "regulation": (
        "Kiến nghị bỏ yêu cầu nộp bản sao công chứng", "Vướng mắc về mẫu đơn đăng ký", "Kiến nghị rút ngắn thời hạn",
    ),
    "other": ("Hỏi về cách nộp hồ sơ trực tuyến", "Phản ánh hạ tầng tại nơi tiếp nhận", "Góp ý về trang dịch vụ công"),
}  # fmt: skip
#: Texts as people really type them; nothing in them may trip a reader.
_ODD = (
    'Tôi nói: "chưa xong\\chưa trả"; cảm ơn!\r\nGọi lại giúp tôi\tnhé',
    "NULL",
    "😡😡 sao lâu thế, 3 tuần rồi <b>chưa</b> có kết quả & không ai nghe máy",
    "'; DROP TABLE phananh; --",
    "Đã nộp   12.000.000₫ … chờ mãi",
)


@dataclass(slots=True)
class Petition:
    """One petition at one desk. Instants are naive local seconds of whole minutes (`workdays`), 0 = absent.

    `events` is flat: (act, instant, act, instant, …). `reception` and `agency` are indices of agencies: who takes
    petitions in, and who answers after a transfer. `origin`: its code at the 1022 that passed it on, else "". `twin`:
    the number of the other desk's copy, 0 = none. `touched`: when somebody rewrote it without a change. `gone`: its row
    was deleted.
    """

    desk: str
    province: str
    number: int
    key: int
    code: str
    classification: str
    reception: int
    agency: int
    events: tuple[int, ...]
    dossier: str = ""
    origin: str = ""
    twin: int = 0
    likes: int = 0
    dislikes: int = 0
    again: bool = False
    modified: int = 0
    touched: int = 0
    defect: str | None = None
    gone: bool = False

    def moment_of(self, act: Act) -> int:
        """When `act` last happened; 0 = never."""
        found = 0
        for index in range(0, len(self.events), 2):
            if self.events[index] == act:
                found = self.events[index + 1]
        return found

    @property
    def last_act(self) -> Act:
        return Act(self.events[-2])

    @property
    def sent(self) -> int:
        return self.events[1]

    @property
    def status(self) -> str:
        return STATUS_AFTER[self.last_act]

    @property
    def closed(self) -> bool:
        return self.last_act in CLOSING


@dataclass(frozen=True, slots=True)
class Happening:
    """One step of a petition."""

    number: int
    act: Act
    at: int
    agency: Agency
    actor: str
    note: str


@dataclass(frozen=True, slots=True)
class PetitionFacts:
    """A petition in full and without its fault."""

    plan: Petition
    agency: Agency
    sender: Applicant
    title: str
    content: str
    answer: str
    due: int
    steps: tuple[Happening, ...]


def derive(plan: Petition, province: Province, catalogue: Catalogue, days: Workdays) -> PetitionFacts:
    """Pure: the same plan always gives the same facts. Both copies of a petition that was passed on say the same."""
    rng = Random(plan.key * 4 + 1)
    agencies = catalogue.agencies
    handling = agencies[plan.agency if plan.moment_of(Act.TRANSFERRED) else plan.reception]
    sender = applicant(rng, business=rng.random() < 0.15, place=province.full_name)
    title = pick(rng, _TITLES[plan.classification])
    about = f" (hồ sơ {plan.dossier})" if plan.dossier else ""
    content = _ODD[plan.key % len(_ODD)] if plan.key % 13 == 0 else f"{title}{about}. Đề nghị cơ quan xem xét, trả lời."
    answer = f"{handling.name} trả lời: đã kiểm tra và xử lý." if plan.moment_of(Act.ANSWERED) else ""
    due = days.due(plan.moment_of(Act.TRANSFERRED) or plan.sent, ANSWER_DAYS)
    steps, holder = [], agencies[plan.reception]
    for index in range(0, len(plan.events), 2):
        act, at = Act(plan.events[index]), plan.events[index + 1]
        if act is Act.TRANSFERRED:
            holder = handling
        citizen = act in (Act.SENT, Act.SUPPLEMENTED, Act.WITHDRAWN)
        actor = sender.name if citizen else person_name(Random(holder.index * 31 + index % 6))
        note = _NOTES[act][(plan.key >> index) % len(_NOTES[act])]
        steps.append(Happening(index // 2 + 1, act, at, holder, actor, note))
    return PetitionFacts(plan, handling, sender, title, content, answer, due, tuple(steps))
