"""Scores the month just ended, as its final result: on the third, when late closings have come in.

Like `index_scores` with `final` set; a DAG of its own so that it has its own schedule and pause button. A provisional
run never replaces a final workbook, nor does a second final one: a month that has its final score is refused.
"""

from __future__ import annotations

from airflow.sdk import DAG

from lienthong.orchestration.index_scores import index_scores

scoring: DAG = index_scores(
    "index_scores_final",
    "30 6 3 * *",
    "Chấm điểm Bộ chỉ số 766, chính thức",
    "Chấm điểm Bộ chỉ số 766 chính thức của tháng vừa qua",
    __doc__,
    final=True,
)
