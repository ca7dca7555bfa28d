"""What `make demo` and the tests need around the product: a PostgreSQL, Airflow's processes, the demo itself.

Not part of a production install, and imported by nothing in `lienthong` or `simulator`.
"""
