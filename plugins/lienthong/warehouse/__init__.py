"""The PostgreSQL warehouse: engine, statements, migrations, load ledger, merge."""
