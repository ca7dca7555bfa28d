"""Systems that list their records over HTTP, page by page, as JSON. A vendor's system is a `ListSystem`."""

from lienthong.sources.kit.lists.profile import ListProfile
from lienthong.sources.kit.lists.system import Ask, Codes, Inside, ListSystem, Page, RecordList, complaint, page_of

__all__ = ["Ask", "Codes", "Inside", "ListProfile", "ListSystem", "Page", "RecordList", "complaint", "page_of"]
