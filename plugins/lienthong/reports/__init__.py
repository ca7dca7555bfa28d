"""What officials see of the scores: a workbook and lines for the terminal, in Vietnamese; and what programs read."""

from lienthong.reports.document import score_document
from lienthong.reports.terminal import score_lines
from lienthong.reports.workbook import write_workbook

__all__ = ["score_document", "score_lines", "write_workbook"]
