"""A city's 1022: no time of modification, so it is read by windows of the day of sending."""
