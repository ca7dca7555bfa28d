"""What reading any source takes: transports (sql, http, rpc, files) and formats (json, xml, sheets).

Nothing in here knows a kind of record or a vendor. A vendor's system (`sources/systems/<vendor>`) says which tables,
addresses and words there are, and what becomes of them.
"""
