"""What a load, a push and a month's scores cost, measured against what PostgreSQL itself needs for the same rows.

`make bench` runs it; `benchmarks/README.md` says what is measured and shows the newest results. Not part of a
production install, and imported by nothing in `lienthong`, `simulator` or `devstack`.
"""
