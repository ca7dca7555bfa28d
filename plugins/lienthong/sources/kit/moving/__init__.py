"""Lists that come by page, newest first, and move while they are read (docs/adr/0010).

`pages` understands a page, `walk` goes down a list without a gap, `spool` keeps what was read and says who spoke last,
`guard` says how far the list was read, and whether what was there still is.
"""
