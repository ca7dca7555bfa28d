"""A unit without a system: the template, filled in and dropped into a folder or bucket."""
