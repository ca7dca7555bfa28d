"""How an iGate behaves: what nobody could verify, what it does to slow or hurried readers, and faults to order."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from typing import Any


class FaultKind(StrEnum):
    """One failure of the next call of an endpoint."""

    HTML_PAGE = "html_page"  # a proxy's page with status 200
    ERROR_BODY = "error_body"  # status 200, the body is an error
    HTTP_500 = "http_500"
    HTTP_502 = "http_502"  # a gateway's HTML
    HTTP_503 = "http_503"  # with Retry-After
    HTTP_429 = "http_429"  # with Retry-After
    SLOW = "slow"  # the right answer after `slow_s`
    TRUNCATED_JSON = "truncated_json"  # the body ends in the middle
    DROP = "drop"  # the connection breaks in the middle of the answer
    REFUSE_TOKEN = "refuse_token"  # 401 although the token is fresh; it stays refused
    PAGE_REPEAT = "page_repeat"  # the rows of the page before under this page's number
    PAGE_SKIP = "page_skip"  # some rows before this page's are never shown


@dataclass(frozen=True)
class IgateSwitches:
    """Defaults are a well-behaved server; (U) marks answers to questions that nobody could verify."""

    token_ttl_s: float = 300.0
    refuse_after_pages: int = 0  # after so many pages all tokens given so far are refused; 0 = never
    refuse_for_good: bool = False  # ... and all new ones as well
    max_page_size: int = 1000  # (U) larger sizes are cut down without a word
    shift_every: int = 0  # on every so many-th page a dossier from further down moves to the top; 0 = never
    shows_updated_date: bool = True  # (U) whether an item says when it changed
    tasks_in_search: bool = True  # (U) whether the search lists the steps of a dossier
    honours_sort: bool = True  # (U) whether `sort=updatedDate,desc` is obeyed though no item shows the date
    honours_windows: bool = True  # (U) whether `accepted-from` and its like are obeyed
    remove_flag: bool = False  # `remove-status=0` means: without what was deleted; else the number is a status
    translate_as_object: bool = False  # procedure.translate: a list, or one object
    translate_mixed: bool = False  # ... a list for some, an object for others
    owner_fullname: bool = True  # else the owner's name is in `fullname`, and there is no `ownerFullname`
    file_urls: bool = True  # else `downloadURL` is "" though the file has id and size
    form_codes: bool = True  # else `procedureForm` has no code
    local_dates: bool = False  # some dossiers' dates say +0700, the others' +0000
    status_eleven: bool = False  # dossiers whose supplement came in have status 11, of which nobody knows the meaning
    form_files_in_search: bool = False  # (U) whether the search lists files too
    clock_offset_s: int = 0  # how far the server's clock is ahead: its Date header and all its dates
    slow_s: float = 2.0  # how long a slow answer takes
    retry_after_s: int = 1  # what 429 and 503 ask for
    page_skip_rows: int = 1  # rows lost by one page_skip

    @classmethod
    def of_public_clients(cls, **changes: Any) -> IgateSwitches:
        """What clients of real systems show: no date of modification, no addresses of files, …"""
        habits: dict[str, Any] = {
            "shows_updated_date": False, "remove_flag": True, "translate_mixed": True, "owner_fullname": False,
            "file_urls": False, "form_codes": False, "local_dates": True, "status_eleven": True,
        }  # fmt: skip
        return cls(**{**habits, **changes})

    def changed(self, values: dict[str, Any]) -> IgateSwitches:
        """A copy with some values changed; ValueError for an unknown name or type."""
        known = {field.name: getattr(self, field.name) for field in fields(self)}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"no switch is named {name!r}")
            wanted = (int, float) if isinstance(known[name], float) else type(known[name])
            if not isinstance(value, wanted) or isinstance(value, bool) != isinstance(known[name], bool):
                raise ValueError(f"{name} has the wrong type")
        return replace(self, **values)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)
