"""Headings of exported tables that are read back."""

CODE_COLUMN = "Mã hồ sơ"
MOMENT_COLUMN = "Thời điểm bước"
