"""The month's scores: refresh the facts, compute, publish. Provisional any day, final after the month."""

from __future__ import annotations

import logging
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Row
from sqlalchemy.engine import Connection

from lienthong.connections import Role
from lienthong.model.errors import ArgumentError, FinalScoreExistsError, NotReadyError
from lienthong.model.periods import BUSINESS_ZONE, Month
from lienthong.pipeline.catalogue import loaded_tenants
from lienthong.pipeline.runtime import Runtime
from lienthong.warehouse.statements import run

DEFINITION = "qd766_2026"
_log = logging.getLogger(__name__)


def score(rt: Runtime, month: str | None, run_key: str, final: bool = False) -> int:
    """Compute the index of every tenant for `month` (YYYY-MM); returns the run's id.

    Without a month: the one that is running when provisional, the one just ended when final.
    Every tenant of which something is believed takes part; one without any listed agency (a code that does not exist)
    is left out with a warning, so that it does not keep the others from their scores. NotReadyError when none is left;
    ArgumentError, before anything is refreshed, for a month that is none or has not begun (ended, when final).
    Facts are brought up to date tenant by tenant; the scores are then computed over one snapshot, so a reader sees all
    of a run or nothing. The same run key gives the same run.

    A month has one final score. The run that made it gets it again, and so does whoever comes while its workbook is
    not written yet; FinalScoreExistsError for everybody else.
    """
    from lienthong.indices import ScoreKind, load_definition, refresh_facts
    from lienthong.indices import score as compute

    now = rt.now()
    wanted = chosen_month(month, final, now)
    engine = rt.warehouse(Role.SCORER)
    known = _final_to_finish(engine, wanted, run_key) if final else None
    if known is not None:
        return known
    tenants = tenants_to_score(rt)
    definition = load_definition(rt.settings.include / "indices" / f"{DEFINITION}.yaml")
    for tenant in tenants:
        with engine.begin() as connection:
            refresh_facts(connection, tenant)
    with engine.execution_options(isolation_level="REPEATABLE READ").begin() as connection:
        run_id = compute(
            connection,
            definition=definition,
            tenants=tenants,
            month=wanted,
            as_of=now,
            kind=ScoreKind.FINAL if final else ScoreKind.PROVISIONAL,
            run_key=run_key,
            now=now,
        )
        if final and run(connection, "indices/claim_final", month=str(wanted), run_id=run_id).one_or_none() is None:
            raise _refused(wanted, _final_of(connection, wanted))
    return run_id


def final_run(rt: Runtime, month: str | None) -> int:
    """The run that is the final score of `month` (without one: of the month just ended). NotReadyError: none yet."""
    wanted = chosen_month(month, True, rt.now())
    with rt.warehouse(Role.SCORER).connect() as connection:
        found = _final_of(connection, wanted)
    if found is None:
        raise NotReadyError(
            f"Month {wanted} has no final score.", key=str(wanted), next_step=f"lienthong score {wanted} --final"
        )
    return int(found.run_id)


def _final_of(connection: Connection, month: Month) -> Row[Any] | None:
    return run(connection, "indices/read_final", month=str(month)).one_or_none()


def _final_to_finish(engine: Engine, month: Month, run_key: str) -> int | None:
    """The final score that this caller may go on with; None when the month has none."""
    with engine.connect() as connection:
        found = _final_of(connection, month)
    if found is None:
        return None
    if found.run_key != run_key:
        if found.published_at is not None:
            raise _refused(month, found)
        _log.warning(
            "[key %s] Điểm chính thức của tháng đã chấm lúc %s (lượt %s) nhưng chưa có tệp: lấy đúng điểm đó và viết "
            "nốt tệp, không chấm lại.",
            month,
            _local(found.computed_at),
            found.run_id,
        )
    return int(found.run_id)


def _refused(month: Month, found: Row[Any] | None) -> FinalScoreExistsError:
    made = f" (run {found.run_id}, made on {_local(found.computed_at)} by {found.run_key})" if found else ""
    return FinalScoreExistsError(
        f"Month {month} already has its final score{made}; there is no restatement yet, so it stays as it is.",
        key=str(month),
        next_step=f"nothing; what the data say today is told by a provisional score, `lienthong score {month}`.",
    )


def _local(moment: datetime) -> str:
    return f"{moment.astimezone(BUSINESS_ZONE):%d/%m/%Y %H:%M}"


def tenants_to_score(rt: Runtime) -> list[str]:
    """The loaded tenants of which the catalogue lists agencies. NotReadyError when there is none."""
    loaded = loaded_tenants(rt)
    if not loaded:
        raise NotReadyError("Nothing has been loaded yet.", next_step="run the load of a source first.")
    with rt.warehouse(Role.SCORER).connect() as connection:
        listed = [
            tenant for tenant in loaded if run(connection, "registry/has_listed_agencies", tenant=tenant).scalar_one()
        ]
    for tenant in (tenant for tenant in loaded if tenant not in listed):
        _log.warning(
            "[key %s] This tenant has no listed agencies and is left out of the scores. Next: run catalogue_sync; "
            "if the code is wrong, see step 9 of docs/connect-a-source.md.",
            tenant,
        )
    if not listed:
        raise NotReadyError(
            "No loaded tenant has listed agencies.",
            key=", ".join(loaded),
            next_step="run catalogue_sync, then score again.",
        )
    return listed


def chosen_month(month: str | None, final: bool, now: datetime) -> Month:
    """The month to score, see `score`. ArgumentError for what is no month, or one that can't be scored yet."""
    newest = Month.of(now).previous if final else Month.of(now)
    if not month:
        return newest
    chosen = Month.parse(month)
    if chosen > newest:
        kind, event = ("final", "ended") if final else ("provisional", "begun")
        raise ArgumentError(
            f"Month {chosen} can't have a {kind} score: it has not {event} yet "
            f"(in Vietnam it is {now.astimezone(BUSINESS_ZONE):%d/%m/%Y %H:%M}).",
            key="month",
            next_step=f"choose {newest} or an earlier month, or wait until {chosen} has {event}.",
        )
    return chosen


def scored(rt: Runtime, run_id: int) -> dict[str, str | int]:
    """Which scores a run made: its id, month (YYYY-MM) and kind."""
    with rt.warehouse(Role.SCORER).connect() as connection:
        found = run(connection, "indices/read_score_run", run_id=run_id).one()
    return {"score_run_id": run_id, "month": found.month, "kind": found.kind}


def publish(rt: Runtime, run_id: int) -> dict[str, str]:
    """Write what people read: the score workbook, the quarantine report and the work list of deliveries. Returns
    their paths.

    The workbook of a final score is written for the month's one final run only, always with the same content;
    FinalScoreExistsError for another. DiskFullError when they don't fit: the old ones stay as they are.
    """
    from lienthong.indices import ScoreKind, scores
    from lienthong.pipeline.push import tenants
    from lienthong.quality.report import write_quarantine_report
    from lienthong.reports.deliveries import write_page
    from lienthong.reports.workbook import write_workbook

    engine = rt.warehouse(Role.READER)
    table = scores(engine, run_id)
    final = table.kind is ScoreKind.FINAL
    if final:
        with engine.connect() as connection:
            claimed = _final_of(connection, table.month)
        if claimed is None or claimed.run_id != run_id:
            raise _refused(table.month, claimed)
    kind = "chinh-thuc" if final else "tam-tinh"  # a provisional run never replaces a final one
    workbook: Path = write_workbook(table, rt.settings.reports / f"bo-chi-so-766_{table.month}_{kind}.xlsx")
    if final:
        with rt.warehouse(Role.SCORER).begin() as connection:
            run(connection, "indices/note_final_published", month=str(table.month), run_id=run_id, now=rt.now())
    quarantine = rt.settings.reports / "bao-cao-cach-ly.html"
    write_quarantine_report(engine, quarantine)
    undecided = write_page(engine, tenants(rt), rt.settings.reports / "viec-gui-cong.html")
    return {"workbook": str(workbook), "quarantine": str(quarantine), "deliveries": str(undecided)}
