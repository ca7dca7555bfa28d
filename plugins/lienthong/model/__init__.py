"""The canonical records, code lists and identifiers. Pure Python: no I/O, no database, no Airflow."""
