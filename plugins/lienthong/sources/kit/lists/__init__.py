"""Systems that list their records, as JSON over HTTP or in files. A vendor's system is a `ListSystem`.

Page by page (`ListSystem`), or span of days by span of days (`SpanSystem`).
"""

from lienthong.sources.kit.lists.profile import ListProfile
from lienthong.sources.kit.lists.spans import Span, SpanSystem
from lienthong.sources.kit.lists.system import Ask, Codes, Inside, ListSystem, Page, RecordList, complaint, page_of

__all__ = [
    "Ask",
    "Codes",
    "Inside",
    "ListProfile",
    "ListSystem",
    "Page",
    "RecordList",
    "Span",
    "SpanSystem",
    "complaint",
    "page_of",
]
