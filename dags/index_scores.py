"""Scores every unit on Bộ chỉ số 766: provisional each morning (`index_scores_final` does the month just ended).

`month` is written YYYY-MM; empty means the current month. `final` marks the scores of a closed month as the ones to
publish. `score_month` writes the scores into the warehouse, `publish_scores` the workbook and the quarantine report;
then the asset `scores` has changed.
"""

from __future__ import annotations

from airflow.sdk import DAG

from lienthong.orchestration.index_scores import index_scores

scoring: DAG = index_scores(
    "index_scores",
    "30 5 * * *",
    "Chấm điểm Bộ chỉ số 766, tạm tính",
    "Chấm điểm Bộ chỉ số 766 tạm tính của tháng đang chạy",
    __doc__,
    final=False,
)
