"""Formats: JSON, XML by a hardened parser, sheets (CSV and XLSX). What can't be read is a GarbledError."""
