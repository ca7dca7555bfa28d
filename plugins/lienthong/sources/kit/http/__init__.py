"""HTTP services: one session per load, credentials, pages and windows.

    with HttpSession(contract, connection, load, credential=BearerToken(connection, place)) as http:
        page = http.ask(Request("GET", "/list", {"page": "0"}), key="page 0", read=page_of)

`read` makes a value of a decoded answer, or raises GarbledError; `ask` tries again while that may help.
"""

from lienthong.sources.kit.formats.garbled import GarbledError
from lienthong.sources.kit.http.credentials import BearerToken, Credential, NoCredential
from lienthong.sources.kit.http.exchange import Exchange, Outcome, Request
from lienthong.sources.kit.http.paging import Piece, RepeatedPageError, read_windows, walk_pages
from lienthong.sources.kit.http.session import HttpSession, SlowAnswerError

__all__ = [
    "BearerToken",
    "Credential",
    "Exchange",
    "GarbledError",
    "HttpSession",
    "NoCredential",
    "Outcome",
    "Piece",
    "RepeatedPageError",
    "Request",
    "SlowAnswerError",
    "read_windows",
    "walk_pages",
]
