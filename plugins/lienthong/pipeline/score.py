"""The month's scores: refresh the facts, compute, publish. Provisional any day, final after the month."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from lienthong.model.periods import Month
from lienthong.pipeline.runtime import Runtime

DEFINITION = "qd766_2026"


def score(rt: Runtime, month: str | None, run_key: str, final: bool = False) -> int:
    """Compute the index of every tenant for `month` (YYYY-MM); returns the run's id.

    Without a month: the one that is running when provisional, the one just ended when final.
    The same run key gives the same run. One transaction: a reader sees all of it or nothing.
    """
    from lienthong.indices import ScoreKind, load_definition, refresh_facts
    from lienthong.indices import score as compute

    now = rt.now()
    tenants = sorted({contract.tenant for contract in rt.contracts().values()})
    definition = load_definition(rt.settings.include / "indices" / f"{DEFINITION}.yaml")
    with rt.warehouse().begin() as connection:
        for tenant in tenants:
            refresh_facts(connection, tenant)
        return compute(
            connection,
            definition=definition,
            tenants=tenants,
            month=chosen_month(month, final, now),
            as_of=now,
            kind=ScoreKind.FINAL if final else ScoreKind.PROVISIONAL,
            run_key=run_key,
            now=now,
        )


def chosen_month(month: str | None, final: bool, now: datetime) -> Month:
    """The month to score, see `score`."""
    if month:
        return Month.parse(month)
    return Month.of(now).previous if final else Month.of(now)


def publish(rt: Runtime, run_id: int) -> dict[str, str]:
    """Write what people read: the score workbook and the quarantine report. Returns their paths."""
    from lienthong.indices import scores
    from lienthong.quality.report import write_quarantine_report
    from lienthong.reports.workbook import write_workbook

    engine = rt.warehouse()
    table = scores(engine, run_id)
    rt.settings.reports.mkdir(parents=True, exist_ok=True)
    workbook: Path = write_workbook(table, rt.settings.reports / f"bo-chi-so-766_{table.month}.xlsx")
    quarantine = rt.settings.reports / "bao-cao-cach-ly.html"
    write_quarantine_report(engine, quarantine)
    return {"workbook": str(workbook), "quarantine": str(quarantine)}
