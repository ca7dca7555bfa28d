"""What `make demo` and the tests need around the product: PostgreSQL from a wheel, Airflow's processes, the demo itself.

Not part of a production install, and imported by nothing in `lienthong` or `simulator`.
"""
