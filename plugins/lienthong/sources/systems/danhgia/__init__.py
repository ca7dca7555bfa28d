"""Ratings of dossiers as a province's table DanhGiaHaiLong keeps them, served over HTTP."""
