"""An iGate as public clients of it show it: a second habit of answers, over the one that a client's types describe.

Nobody has published a page of a real answer. Captured forms and clients show these differences; each has its switch.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from simulator.facts import Facts
from simulator.igate.statuses import ELEVEN
from simulator.igate.switches import IgateSwitches
from simulator.plans import Plan
from simulator.steps import Step

Item = dict[str, Any]
_VIETNAM = timezone(timedelta(hours=7))
_OFFSET = "+0000"


def shown(made: Item, facts: Facts, switches: IgateSwitches) -> Item:
    """A dossier of the list, or one with its files, as the server's habits let it be seen. Changes `made`."""
    key = facts.plan.key
    owner = made["applicant"]["data"]
    if not switches.owner_fullname:
        owner["fullname"] = owner.pop("ownerFullname")
    if switches.translate_mixed and key % 2 and isinstance(made["procedure"]["translate"], list):
        made["procedure"]["translate"] = made["procedure"]["translate"][0]
    if switches.status_eleven and is_eleven(facts.plan):
        made["dossierStatus"] = {"id": ELEVEN, "name": ""}
    if not switches.tasks_in_search:
        made.pop("task", None)
        made.pop("currentTask", None)
    for form in made.get("dossierFormFile", ()):
        if not switches.form_codes:
            del form["procedureForm"]["code"]
        for file in form["file"]:
            _file(file, switches)
    for file in made.get("attachment", ()):
        _file(file, switches)
    return _local(made) if switches.local_dates and key % 3 == 0 else made


def is_eleven(plan: Plan) -> bool:
    """Whether a dossier has the status that nobody knows the meaning of."""
    return plan.last_step == Step.SUPPLEMENT_DONE and not plan.defect


def _file(file: Item, switches: IgateSwitches) -> None:
    if not switches.file_urls:
        file["downloadURL"] = ""


def _local(value: Any) -> Any:
    """The same with every date in Vietnam's time: `+0700` instead of `+0000`."""
    if isinstance(value, dict):
        return {name: _local(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_local(inner) for inner in value]
    if isinstance(value, str) and value.endswith(_OFFSET) and len(value) == len("2026-10-05T17:00:00.000+0000"):
        moment = datetime.fromisoformat(value).astimezone(_VIETNAM)
        return moment.strftime("%Y-%m-%dT%H:%M:%S.000+0700")
    return value
