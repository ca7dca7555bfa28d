"""Why no connection came about, judged by the class and number of what was raised. Words differ between Pythons."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from enum import StrEnum

#: OpenSSL's names for an answer that is no TLS at all.
_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"})


class NetworkFault(StrEnum):
    """The values are our own words for it: errors carry them, and checks look for them."""

    UNKNOWN_HOST = "unknown host"
    REFUSED = "connection refused"
    NOT_TLS = "the port does not speak TLS"
    UNTRUSTED = "certificate not trusted"
    TLS = "TLS failure"


def fault_of(error: BaseException) -> NetworkFault | None:
    """What lies below `error`, as far as an exception in its chain tells."""
    for found in _chain(error):
        if isinstance(found, ssl.SSLCertVerificationError):
            return NetworkFault.UNTRUSTED
        if isinstance(found, ssl.SSLError):
            return NetworkFault.NOT_TLS if _ends_or_is_no_tls(found) else NetworkFault.TLS
        if isinstance(found, socket.gaierror):
            return NetworkFault.UNKNOWN_HOST
        if isinstance(found, ConnectionRefusedError):
            return NetworkFault.REFUSED
    return None


def _ends_or_is_no_tls(error: ssl.SSLError) -> bool:
    """The other side hung up on a greeting (older Pythons call that a closing), or answered it with something else."""
    hung_up = isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError)
    reason = getattr(error, "reason", None)  # OpenSSL's own errors have one
    return hung_up or error.errno in (ssl.SSL_ERROR_EOF, ssl.SSL_ERROR_ZERO_RETURN) or reason in _NO_TLS


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        following = following.__cause__ or following.__context__
