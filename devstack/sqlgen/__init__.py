"""Statements that differ only by entity, written from the kinds' specifications into include/sql/kinds."""
