"""The only place with DDL: schemas and tables (migrations), roles with their rights, partitions of tenants.

What it runs lies in include/sql/migrations and include/sql/bootstrap. A tenant's partitions are made by a function of
these migrations (`ops.ensure_tenant`), which a step may call without a right to make tables. Temporary tables stay in
the statements that fill them: each is a part of one statement and gone with its transaction.
"""
