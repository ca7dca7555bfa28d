"""What people are shown, as frozen dataclasses and Vietnamese sentences: read from the warehouse, drawn by others.

No format of its own: the command line, reports, logs of tasks and pages render what is here. Words that stand for codes
are in `labels`, numbers and moments in `formats`.
"""
