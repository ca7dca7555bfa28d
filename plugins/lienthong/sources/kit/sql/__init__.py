"""Databases: one snapshot per load, paged by key or by (modified, key), compared with a declared map of tables.

A vendor declares a `SqlMap` and derives a `SqlSystem` from it; what the rows mean stays the vendor's.
"""

from lienthong.sources.kit.sql.system import SqlSystem
from lienthong.sources.kit.sql.tables import SqlMap, TableMap

__all__ = ["SqlMap", "SqlSystem", "TableMap"]
