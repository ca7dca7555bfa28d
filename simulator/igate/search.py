"""`GET /pa/dossier/search`: filters, order and Spring's pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from simulator.catalogue import PROVINCES
from simulator.igate import ids
from simulator.igate.instants import parse
from simulator.igate.items import apply_method, item, listed, receiving_id, status_number
from simulator.igate.statuses import DELETED, STATUSES
from simulator.igate.store import Store
from simulator.igate.switches import IgateSwitches
from simulator.plans import Plan
from simulator.steps import Step

Answer = dict[str, Any]
Test = Callable[[Plan], bool]

DEFAULT_SIZE = 20
#: How filters are told apart inside that a server understands in two ways.
_WITHOUT_DELETED, _STATUS_OR_ELEVEN = "[without-deleted]", "[dossier-status]"
_RANGES: dict[str, Callable[[Plan], int]] = {
    "applied": lambda plan: plan.submitted,
    "accepted": lambda plan: plan.received,
    "appointment": lambda plan: plan.extended or plan.due,
    "result-returned": lambda plan: plan.moment_of(Step.RETURNED),
}


class BadParameter(ValueError):
    """A parameter that Spring would answer with 400."""


@dataclass(frozen=True)
class Query:
    """A search in order. `filters` are the given ones, by name."""

    page: int
    size: int
    slice: bool
    newest_first: bool | None
    filters: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, given: Mapping[str, str], switches: IgateSwitches) -> Query:
        """BadParameter for what can't be understood; unknown names are ignored, sizes over the limit cut down."""
        spec = given.get("spec") or "page"
        if spec not in ("page", "slice"):
            raise BadParameter("spec is page or slice")
        page, size = _number(given, "page", 0, 0), _number(given, "size", DEFAULT_SIZE, 1)
        name, _, direction = given.get("sort", "").partition(",")
        sorted_by_change = name == "updatedDate" and switches.honours_sort
        newest_first = direction.lower() == "desc" if sorted_by_change else None
        filters = tuple(sorted(_obeyed(name, value, switches) for name, value in given.items() if value))
        filters = tuple(pair for pair in filters if pair[0] in _FILTERS)
        return cls(page, min(size, switches.max_page_size), spec == "slice", newest_first, filters)


class Searcher:
    """Answers searches of one store. Keeps the order of the last filter until something changes."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._key: object = None
        self._found: list[int] = []

    def found(self, query: Query) -> list[int]:
        """DossierIds that match, in order."""
        key = (self.store.version, query.newest_first, query.filters)
        if key != self._key:
            self._key, self._found = key, self._match(query)
        return self._found

    def page(self, query: Query, switches: IgateSwitches, *, shifted: int = 0) -> Answer:
        """One page. `shifted`: how many rows further on its rows begin than they should (negative: further back)."""
        with self.store.lock:
            found = self.found(query)
            start = max(query.page * query.size + shifted, 0)
            rows = found[start : start + query.size]
            world, store = self.store.world, self.store
            content = []
            for number in rows:
                facts = world.facts(store.plan(number))
                content.append(
                    listed(facts, world.catalogue, store.updated(number), switches, whole=switches.form_files_in_search)
                )
        return _spring(query, content, len(found))

    def _match(self, query: Query) -> list[int]:
        store = self.store
        numbers = store.newest_first() if query.newest_first is not None else [
            plan.dossier_id for plan in store.world.plans[store.province]
        ]  # fmt: skip
        if query.newest_first is False:
            numbers.reverse()
        tests = [_FILTERS[name](store, name, value) for name, value in query.filters]
        if not tests:
            return numbers
        return [number for number in numbers if all(test(store.plan(number)) for test in tests)]


def _spring(query: Query, content: list[Answer], total: int) -> Answer:
    by = query.newest_first is not None
    sort = {"sorted": by, "unsorted": not by, "empty": not by}
    pages = -(-total // query.size)
    answer: Answer = {
        "content": content,
        "pageable": {
            "sort": sort, "offset": query.page * query.size, "pageNumber": query.page, "pageSize": query.size,
            "paged": True, "unpaged": False,
        },
        "last": query.page >= pages - 1,
        "size": query.size,
        "number": query.page,
        "sort": sort,
        "first": query.page == 0,
        "numberOfElements": len(content),
        "empty": not content,
    }  # fmt: skip
    return answer if query.slice else answer | {"totalPages": pages, "totalElements": total}


def _obeyed(name: str, value: str, switches: IgateSwitches) -> tuple[str, str]:
    """A filter as this server understands it; one without a name is ignored."""
    if name.rpartition("-")[0] in _RANGES and not switches.honours_windows:
        return "", value
    if (name, value) == ("remove-status", "0") and switches.remove_flag:
        return _WITHOUT_DELETED, value
    if name == "dossier-status" and switches.status_eleven:
        return _STATUS_OR_ELEVEN, value
    return name, value


def _number(given: Mapping[str, str], name: str, default: int, least: int) -> int:
    try:
        value = int(given.get(name) or default)
    except ValueError:
        raise BadParameter(f"{name} is a number") from None
    if value < least:
        raise BadParameter(f"{name} must not be less than {least}")
    return value


def _shown(store: Store, plan: Plan) -> Answer:
    """The item as listed, faults included."""
    return item(store.world.facts(plan), store.world.catalogue, 0, IgateSwitches())


def _by_item(read: Callable[[Answer], str], *, whole: bool) -> Callable[[Store, str, str], Test]:
    def made(store: Store, _: str, value: str) -> Test:
        wanted = value.lower()
        if whole:
            return lambda plan: read(_shown(store, plan)).lower() == wanted
        return lambda plan: wanted in read(_shown(store, plan)).lower()

    return made


def _by_range(store: Store, name: str, value: str) -> Test:
    field, _, side = name.rpartition("-")
    read = _RANGES[field]
    try:
        limit = parse(value, end=side == "to")
    except ValueError:
        raise BadParameter(f"{name} is not a date") from None
    if side == "from":
        return lambda plan: read(plan) >= limit
    return lambda plan: 0 < read(plan) <= limit


def _by_status(_: Store, name: str, value: str) -> Test:
    try:
        wanted = {int(part) for part in value.split(",")}
    except ValueError:
        raise BadParameter(f"{name} is a number") from None
    if name == "remove-status":
        return lambda plan: status_number(plan) not in wanted
    eleven = name == _STATUS_OR_ELEVEN
    return lambda plan: status_number(plan, eleven=eleven) in wanted


def _by_agency(store: Store, _: str, value: str) -> Test:
    if value == ids.root_agency_id(PROVINCES[store.province]):
        return lambda plan: True
    wanted = {agency.index for agency in store.world.catalogue.agencies if ids.agency_id(agency) == value}
    return lambda plan: plan.agency in wanted


def _by_plan(read: Callable[[Store, Plan], str]) -> Callable[[Store, str, str], Test]:
    return lambda store, _, value: lambda plan: read(store, plan) == value


def _owner(name: str) -> Callable[[Answer], str]:
    return lambda made: str(made["applicant"]["data"][name])


_FILTERS: dict[str, Callable[[Store, str, str], Test]] = {
    "code": _by_item(lambda made: str(made["code"]), whole=True),
    "code-match": _by_item(lambda made: str(made["code"]), whole=False),
    "nation-code-match": _by_item(lambda made: str(made["nationCode"] or ""), whole=False),
    "identity-number": _by_item(_owner("identityNumber"), whole=True),
    "applicant-name": _by_item(_owner("fullname"), whole=False),
    "applicant-owner-name": _by_item(_owner("ownerFullname"), whole=False),
    "procedure-code": _by_item(lambda made: str(made["procedure"]["code"]), whole=True),
    "procedure-id": _by_plan(lambda store, plan: ids.procedure_id(store.world.catalogue.procedures[plan.procedure])),
    "sector-id": _by_plan(lambda store, plan: ids.sector_id(store.world.catalogue.procedures[plan.procedure])),
    "task-status-id": _by_plan(lambda _, plan: STATUSES[plan.last_step].task),
    "apply-method-id": _by_plan(lambda _, plan: str(apply_method(plan))),
    "receiving-kind-id": _by_plan(lambda _, plan: receiving_id(plan)),
    "dossier-status": _by_status,
    _STATUS_OR_ELEVEN: _by_status,
    "remove-status": _by_status,
    _WITHOUT_DELETED: lambda store, _, value: lambda plan: status_number(plan) != DELETED.number,
    "ancestor-agency-id": _by_agency,
    **{f"{field}-{side}": _by_range for field in _RANGES for side in ("from", "to")},
}
