"""The transport ministry's dossier list (Bộ GTVT, now Bộ Xây dựng), read for one province."""
