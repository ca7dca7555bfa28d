"""A day's work at the source: some dossiers take their next step, everything else stays as it is."""

from __future__ import annotations

from typing import Any

from simulator.steps import SPECS, Step

#: dossierStatus → the step that comes next.
_NEXT = {
    "new": Step.PROCESSING,
    "processing": Step.FINISHED,
    "waiting": Step.SUPPLEMENT_DONE,
    "releasing": Step.RETURNED,
}


def change(cursor: Any, share: float) -> int:
    """Move `share` (0 … 1) of the province's dossiers one step on: status, dates, modifiedDate, one action row each.

    Dossiers are chosen by a hash of their id, among the open ones that no other row repeats. Returns how many moved.
    """
    cursor.execute("SELECT count(*) FROM opencps_dossier")
    wanted = round(cursor.fetchone()[0] * share)
    steps = {word: SPECS[step] for word, step in _NEXT.items()}
    cursor.execute(
        """
        CREATE TEMPORARY TABLE moved ON COMMIT DROP AS
        WITH open_dossiers AS (
            SELECT "dossierId", "dossierStatus", count(*) OVER (PARTITION BY "dossierNo") AS holders
            FROM opencps_dossier
            WHERE "dossierStatus" = ANY(%(words)s) AND "dossierNo" IS NOT NULL
        ),
        chosen AS (
            SELECT "dossierId", "dossierStatus", row_number() OVER (ORDER BY md5("dossierId"::text)) AS place
            FROM open_dossiers
            WHERE holders = 1
        )
        SELECT
            c."dossierId" AS dossier_id,
            n.step_code,
            n.word,
            n.text,
            n.step_name,
            (SELECT max("modifiedDate") FROM opencps_dossier) + (c.place * 7919 %% 28800) * interval '1 second' AS at
        FROM chosen AS c
        INNER JOIN unnest(%(words)s, %(codes)s, %(to)s, %(texts)s, %(names)s)
            AS n (from_word, step_code, word, text, step_name) ON n.from_word = c."dossierStatus"
        WHERE c.place <= %(wanted)s
        """,
        {
            "wanted": wanted,
            "words": list(steps),
            "codes": [spec.code for spec in steps.values()],
            "to": [spec.word for spec in steps.values()],
            "texts": [spec.word_text for spec in steps.values()],
            "names": [spec.name for spec in steps.values()],
        },
    )
    cursor.execute("ANALYZE moved")
    cursor.execute(
        """
        UPDATE opencps_dossier AS d
        SET
            "dossierStatus" = m.word,
            "dossierStatusText" = m.text,
            "dossierSubStatus" = '',
            "modifiedDate" = m.at,
            "releaseDate" = CASE WHEN m.word = 'releasing' THEN m.at ELSE d."releaseDate" END,
            "finishDate" = CASE WHEN m.word = 'done' THEN m.at ELSE d."finishDate" END
        FROM moved AS m
        WHERE d."dossierId" = m.dossier_id
        """
    )
    moved = int(cursor.rowcount)
    cursor.execute(
        """
        INSERT INTO opencps_dossieraction (
            "dossierActionId", "uuid_", "groupId", "companyId", "userId", "userName", "createDate", "modifiedDate",
            "dossierId", "stepCode", "stepName", "actionCode", "actionName", "actionUser", "actionNote", "sequenceNo"
        )
        SELECT
            greatest(m.dossier_id * 64, max(a."dossierActionId")) + 1,
            md5('moved' || m.dossier_id)::uuid::text,
            d."groupId", d."companyId", d."userId", d."userName", m.at, m.at,
            m.dossier_id, m.step_code, m.step_name, '1' || m.step_code, m.step_name, d."userName", '',
            lpad((count(a."dossierActionId") + 1)::text, 2, '0')
        FROM moved AS m
        INNER JOIN opencps_dossier AS d ON d."dossierId" = m.dossier_id
        LEFT JOIN opencps_dossieraction AS a ON a."dossierId" = m.dossier_id
        GROUP BY m.dossier_id, m.step_code, m.step_name, m.at, d."dossierId"
        """
    )
    return moved
