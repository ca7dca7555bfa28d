"""Text of others may hold a citizen's data; what is kept or shown of it may not.

`mask` is for messages (of the portal), where whatever could be a name goes. `mask_word` is for what stands where a code
belongs: a status, a procedure, an agency. It is kept so that somebody can map it, so codes and phrases stay readable,
and only what looks like a person, a phone, an ID number or an address goes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import pairwise, takewhile

KEPT_LENGTH = 200
#: No code and no status is longer; a text typed into the wrong field is.
WORD_LENGTH = 80
_LOOKED_AT = 1000
HIDDEN = "…"
_READ_LENGTH = 20_000
_SAFE_LENGTH = 5_000

_QUOTES = "\"'`\u201c\u201d\u2018\u2019\u00ab\u00bb"
_PATTERNS = (
    re.compile(r"https?://\S+", re.IGNORECASE),
    re.compile(r"(?<!\S)[^\s@]*@\S*"),
    re.compile(f"[{_QUOTES}][^{_QUOTES}]*[{_QUOTES}]"),
    re.compile(r"[0-9](?:[ .\-/]?[0-9]){5,}"),
)
_WORD = re.compile(r"[^\W\d_]+")

#: A phone (also with its groups apart), an ID number or an account. Not the groups of a code: 1.004194.000.00.00.H17.
_NUMBERS = (
    re.compile(r"(?<![^\W_])(?<!\w[.\-/])\+?[0-9]{9,}(?![^\W_])"),
    re.compile(r"(?<!\w)(?<!\w[.\-/])(?:\+84|84|0)[0-9]{1,4}(?:[ .\-][0-9]{2,4}){2,4}(?!\w)(?![.\-]\w)"),
    re.compile(r"(?<!\w)(?<!\w[.\-/])[0-9]{3}(?: [0-9]{3}){2,3}(?!\w)"),
)
_ADDRESSES = (re.compile(r"https?://\S+", re.IGNORECASE), re.compile(r"\S+@\S+"))


def _syllables(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SURNAMES = _syllables(
    """nguyễn trần lê phạm hoàng huỳnh phan vũ võ đặng bùi đỗ hồ ngô dương lý đinh đoàn trịnh mai tô đào hà lâm
    phùng trương cao châu chu la lương lưu mạc quách tạ thái tống triệu vương tăng lại kiều khổng nghiêm văn phí
    nông hứa bạch lò giàng vàng thào sùng lầu cầm quàng ksor siu rmah niê êban"""
)
#: Of those, the ones that are no other word either: enough for a name in small letters.
_SURE = _syllables("""nguyễn trần phạm huỳnh hoàng vũ võ đặng bùi đỗ ngô đinh trịnh trương phùng""")
#: In small letters a surname is often another word (hồ sơ, lệ phí): one of these has to follow.
_MIDDLE = _syllables("""thị văn thi van""")
#: Syllables of administrative language that are no part of a person's name.
_NO_NAME = _syllables(
    """sơ xử nhận chờ bổ trả chuyển dừng hủy huỷ chối nộp phí xong đã đang chưa không kho cục ban ủy uỷ tờ cấp
    phường quận huyện tỉnh xã"""
)
#: What begins like a name and is none: the first of all phrases, the second only alone.
_PHRASES = frozenset({("lý", "do"), ("phạm", "vi"), ("hồ", "chí")})
_PROVINCES = frozenset(
    tuple(pair.split())
    for pair in (
        "hà nội", "hà nam", "hà tĩnh", "hà giang", "thái bình", "thái nguyên", "cao bằng", "lâm đồng",
    )
)  # fmt: skip
_RUN = re.compile(r"[^\W\d_]+(?:[ _]+[^\W\d_]+)+")


def mask(message: str, texts: Iterable[str] = ()) -> str:
    """`message` without quoted text, addresses, numbers of six digits or more, names, and without any of `texts`
    (what was in the request). At most 200 characters, from the first 20,000.
    """
    cut = len(message) > _READ_LENGTH
    message = message[:_READ_LENGTH]
    folded = message.casefold()
    for text in sorted((t for t in texts if len(t) >= 4), key=len, reverse=True):
        if text.casefold() in folded:
            message = re.sub(re.escape(text), HIDDEN, message, flags=re.IGNORECASE)
            folded = message.casefold()
    for pattern in _PATTERNS:
        message = pattern.sub(HIDDEN, message)
    message = _without_names(message)
    if cut and len(message) < _SAFE_LENGTH:  # so much was hidden that half a text at the cut could come into sight
        return HIDDEN
    return message[:KEPT_LENGTH]


def _without_names(message: str) -> str:
    """Two capitalised words in a row are taken for a name."""
    words = list(_WORD.finditer(message))
    hidden: list[tuple[int, int]] = []
    for left, right in pairwise(words):
        between = message[left.end() : right.start()]
        if left.group()[0].isupper() and right.group()[0].isupper() and between.strip(" .-") == "":
            if hidden and hidden[-1][1] == left.end():
                hidden[-1] = (hidden[-1][0], right.end())
            else:
                hidden.append((left.start(), right.end()))
    for start, end in reversed(hidden):
        message = message[:start] + HIDDEN + message[end:]
    return message


def mask_word(word: str) -> str:
    """What stands where a code belongs, without what looks like a person, a phone, an ID number or an address. At most
    80 characters.
    """
    word = unicodedata.normalize("NFC", word[:_LOOKED_AT])
    for pattern in (*_ADDRESSES, *_NUMBERS):
        word = pattern.sub(HIDDEN, word)
    word = _RUN.sub(lambda run: _without_people(run.group()), word)
    return word if len(word) <= WORD_LENGTH else word[:WORD_LENGTH] + HIDDEN


def _without_people(run: str) -> str:
    """Words with blanks between them, without the names among them."""
    words = list(_WORD.finditer(run))
    kept, at = "", 0
    first = 0
    while first < len(words):
        last = _length_of_name([word.group() for word in words[first:]], at_start=first == 0)
        if last:
            kept += run[at : words[first].start()] + HIDDEN
            at = words[first + last - 1].end()
            first += last
        else:
            first += 1
    return kept + run[at:]


def _length_of_name(words: Sequence[str], *, at_start: bool) -> int:
    """How many of `words`, from the first, are a person's name; 0 for none."""
    surname = words[0].casefold()
    same_case = str.islower if words[0].islower() else _is_capitalised
    name = [word.casefold() for word in takewhile(same_case, words)][:5]
    if len(name) < 2 or _NO_NAME.intersection(name[1:]) or tuple(name[:2]) in _PHRASES or tuple(name) in _PROVINCES:
        return 0
    unmarked = all(_unmarked(word) == word for word in name)
    if words[0].islower():
        middle = len(name) > 2 and name[1] in _MIDDLE
        known = (middle and (surname in _SURNAMES or (unmarked and surname in _UNMARKED_SURNAMES))) or (
            at_start and surname in _SURE and len(name) > 2
        )
    else:
        known = surname in _SURNAMES or (unmarked and surname in _UNMARKED_SURNAMES)
    return len(name) if known else 0


def _is_capitalised(word: str) -> bool:
    return word[0].isupper()


def _unmarked(word: str) -> str:
    """Without the marks of Vietnamese: Nguyễn → nguyen, Đặng → dang."""
    apart = unicodedata.normalize("NFD", word.casefold().replace("đ", "d"))
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


_UNMARKED_SURNAMES = frozenset(_unmarked(surname) for surname in _SURNAMES)
