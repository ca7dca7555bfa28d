"""Liên Thông: from administrative-procedure systems to the National Public Service Portal and its index."""
