"""Network faults are told by the class and number of an exception, whatever its words."""

from __future__ import annotations

import socket
import ssl

import httpx
import pytest

from lienthong.model.network import NetworkFault, fault_of


@pytest.mark.parametrize(
    ("raised", "fault"),
    [
        (ssl.SSLEOFError(ssl.SSL_ERROR_EOF, "EOF occurred in violation of protocol"), NetworkFault.NOT_TLS),
        (ssl.SSLZeroReturnError(ssl.SSL_ERROR_ZERO_RETURN, "connection has been closed (EOF)"), NetworkFault.NOT_TLS),
        (ssl.SSLError(ssl.SSL_ERROR_EOF, "in other words"), NetworkFault.NOT_TLS),
        (ssl.SSLCertVerificationError(1, "self-signed"), NetworkFault.UNTRUSTED),
        (ssl.SSLError(ssl.SSL_ERROR_SSL, "handshake failure"), NetworkFault.TLS),
        (socket.gaierror(socket.EAI_NONAME, "tên không có"), NetworkFault.UNKNOWN_HOST),
        (ConnectionRefusedError(111, "không cho"), NetworkFault.REFUSED),
        (OSError(113, "connection refused, so it says"), None),
    ],
    ids=lambda case: type(case).__name__ if isinstance(case, Exception) else str(case),
)  # fmt: skip
def test_a_fault_is_known_by_what_lies_below_the_client_s_error(raised: Exception, fault: NetworkFault | None) -> None:
    error = httpx.ConnectError("words that say nothing")
    error.__cause__ = httpx.TransportError("nor do these")
    error.__cause__.__context__ = raised
    assert fault_of(error) is fault


def test_a_chain_that_comes_back_to_itself_ends() -> None:
    first, second = ValueError(), KeyError()
    first.__context__, second.__context__ = second, first
    assert fault_of(first) is None
