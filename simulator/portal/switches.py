"""What nobody could verify about the portal, as switches (portal-exchange §9), and the faults tests can order."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from typing import Any


class FaultKind(StrEnum):
    """One failure of the next call of a service."""

    HTTP_500 = "http_500"
    TIMEOUT_BEFORE = "timeout_before"  # nothing happens and no answer comes
    TIMEOUT_AFTER = "timeout_after"  # the work is done and kept, but no answer comes
    DROP_BEFORE = "drop_before"  # as timeout_before, but the connection breaks at once
    DROP_AFTER = "drop_after"
    HTML_PAGE = "html_page"  # a proxy's page with status 200; nothing happens
    REFUSE = "refuse"  # code "0" with a refusal in the message; nothing happens
    EXPIRE_SESSION = "expire_session"  # all sessions end just before the call


@dataclass(frozen=True)
class PortalSwitches:
    """Every default is a guess; tests run both ways. Numbers in parentheses are portal-exchange's sections."""

    session_ttl_s: float = 600.0  # (1) official value unverified; clients cache 10 minutes
    expired_code: int | str = "-2"  # (1)
    expired_message: str = "Phiên làm việc không hợp lệ hoặc đã hết hạn"
    error_code: int | str = "-1"  # (2.2) code of every other failure
    max_batch: int = 100  # (2.1) records per call; 0 = no limit
    bad_record_fails_batch: bool = True  # (2.1) else the good ones are kept and the answer looks like a success
    names_bad_record: bool = False  # (2.2) whether a refusal of a batch says which record
    progress_dedup: bool = False  # (2.4) a step sent twice: ignored the second time, or held twice
    progress_mixes_dossiers: bool = True  # (2.4) else a call with steps of several dossiers is refused as a whole
    lookup_shows_steps: bool = False  # (2.5) whether a hit of TraCuuHoSo lists the dossier's steps
    update_merges_children: bool = False  # (9.5) else an update replaces the child lists
    dstcode_in: str = "either"  # (1) header | query | either | optional
    lookup_fields: str = "empty"  # (2.5) a hit of TraCuuHoSo: empty | code | full
    reject_unknown_procedure: bool = False
    require_v2_fields: bool = False  # (9.8)
    latency_s: float = 0.0  # every answer comes this much later; calls are served side by side
    hang_s: float = 65.0  # how long a call that "times out" is held before the connection breaks

    def changed(self, values: dict[str, Any]) -> PortalSwitches:
        """A copy with some values changed; ValueError for an unknown name, type or choice."""
        known = {field.name: getattr(self, field.name) for field in fields(self)}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"no switch is named {name!r}")
            choices = _CHOICES.get(name)
            if choices and value not in choices:
                raise ValueError(f"{name} is one of {', '.join(choices)}")
            wanted = (int, float) if isinstance(known[name], float) else type(known[name])
            if not name.endswith("_code") and not isinstance(value, wanted):
                raise ValueError(f"{name} has the wrong type")
        return replace(self, **values)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


_CHOICES = {"dstcode_in": ("header", "query", "either", "optional"), "lookup_fields": ("empty", "code", "full")}
