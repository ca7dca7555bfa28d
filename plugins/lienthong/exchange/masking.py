"""Messages of the portal may quote a citizen's data; what is kept of them may not."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

KEPT_LENGTH = 200
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
