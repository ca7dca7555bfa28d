"""What `make demo`, `make up` and the tests need around the product: PostgreSQL, Airflow, and how they are run.

Not part of a production install, and imported by nothing in `lienthong` or `simulator`.
"""
