"""Services that are called: one address, a log-in that gives a session, and the session in the body of every call.

    login = BodySession("the ministry", Request("POST", "/login", json={…}), lambda body: body.get("session"))
    with HttpSession(contract, connection, load, credential=login, verdict=verdict) as http:
        rows = http.ask(Request("POST", "/g", json={"service": "…"}), key="…", read=rows_of)

`verdict` says by the vendor's codes which answers mean that the session has expired (Outcome.RENEW): then the session
logs in anew, once, and calls again.
"""

from lienthong.sources.kit.rpc.session import BodySession

__all__ = ["BodySession"]
