"""The steps of a dossier as iGate keeps them: `task[]`, oldest first; the running one is `currentTask` too."""

from __future__ import annotations

from typing import Any

from simulator.facts import Facts
from simulator.igate import ids
from simulator.igate.instants import iso
from simulator.igate.statuses import STATUSES
from simulator.steps import SPECS

Task = dict[str, Any]


def tasks(facts: Facts, offset_s: int) -> list[Task]:
    """One task per step of the truth. `dueDate` and `comment` are our assumption."""
    plan, agency, steps = facts.plan, facts.agency, facts.steps
    unit = {
        "id": ids.agency_id(agency),
        "code": agency.code,
        "name": [{"languageId": ids.VIETNAMESE, "name": agency.name}],
    }
    made = []
    for number, step in enumerate(steps):
        status, spec = STATUSES[step.step], SPECS[step.step]
        last = number == len(steps) - 1
        running = last and not plan.closed
        citizen = spec.role == "citizen"
        made.append(
            {
                "id": ids.part_id(ids.TASK, plan.dossier_id, number),
                "assignee": {
                    "id": None if citizen else ids.part_id(ids.PERSON, agency.index, len(spec.role)),
                    "fullname": step.actor,
                },
                "candidateGroup": [] if citizen else [unit],
                "processDefinition": {"id": ids.part_id(ids.PROCESS, facts.procedure.index)},
                "agency": unit,
                "isCurrent": int(running),
                "createdDate": iso(step.at, offset_s),
                "updatedDate": iso(step.at if last else steps[number + 1].at, offset_s),
                "activitiTask": {
                    "id": ids.part_id(ids.TASK, plan.dossier_id, 1000 + number),
                    "status": "CREATED" if running else "COMPLETED",
                },
                "bpmProcessDefinitionTask": {
                    "id": ids.part_id(ids.PROCESS, facts.procedure.index, 100 + int(step.step)),
                    "name": {"id": status.task, "name": status.task_name},
                    "remind": {"id": status.task, "name": status.task_name},
                    "processingTime": 1.0,
                    "processingTimeUnit": "d",
                    "definitionTask": {"definitionKey": f"Activity_{spec.code}", "name": spec.name},
                },
                "dueDate": iso(step.due, offset_s),
                "comment": step.note,
            }
        )
    return made
