"""VNPT iGate 2 over HTTP: paged search, newest first, without a filter by modification (portal-exchange §6.4)."""
