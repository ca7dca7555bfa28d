"""Sources: a contract (YAML) says which system, a profile knows how to read that kind of system.

Nothing is imported here: DAG files read contracts, and must not pay for database drivers and dataframes.
"""
