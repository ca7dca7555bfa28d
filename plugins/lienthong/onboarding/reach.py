"""The first lines of a check: the contract, its connection, and why a source can't be reached."""

from __future__ import annotations

import os
import re

from lienthong.connections import Connection, UnreadableConnectionError
from lienthong.model.errors import ContractError, LienThongError, SchemaDriftError, SourceUnreachableError
from lienthong.model.network import NetworkFault
from lienthong.onboarding.lines import Line, good, problem
from lienthong.pipeline.runtime import Runtime
from lienthong.sources.contract import SourceContract

#: Words of drivers, and our own for a NetworkFault → what is wrong, what to do. The first that is found counts.
_CAUSES: tuple[tuple[str, str, str], ...] = (
    (
        r"could not translate host name|name or service not known|getaddrinfo|name resolution|nodename nor servname"
        rf"|no address associated|{NetworkFault.UNKNOWN_HOST}",
        "không tìm thấy máy chủ: tên máy chủ sai hoặc máy này không phân giải được tên đó",
        "kiểm tra host của kết nối và DNS.",
    ),
    (
        rf"{NetworkFault.REFUSED}|actively refused",
        "máy chủ từ chối kết nối: sai cổng, dịch vụ chưa chạy, hoặc tường lửa chặn",
        "kiểm tra port của kết nối và hỏi đơn vị vận hành cổng đã mở cho máy này chưa.",
    ),
    (
        r"received invalid response to ssl negotiation|expected authentication request from server",
        "cổng này không phải PostgreSQL: một dịch vụ khác trả lời",
        "kiểm tra port của kết nối.",
    ),
    (
        NetworkFault.NOT_TLS,
        "cổng này không nói HTTPS: có thể là HTTP không mã hóa hoặc một dịch vụ khác",
        "kiểm tra port của kết nối (và của token_url), và kiểu kết nối: http hay https.",
    ),
    (
        r"remoteprotocolerror",
        "cổng này không trả lời theo HTTP: có thể là một dịch vụ khác, hoặc máy chủ ngắt kết nối giữa chừng",
        "kiểm tra port của kết nối (và của token_url); nếu đúng cổng của iGate, hỏi đơn vị vận hành.",
    ),
    (
        rf"{NetworkFault.UNTRUSTED}|certificate_verify_failed",
        "không thiết lập được kết nối mã hóa (TLS): chứng thư của máy chủ không được tin cậy",
        "kiểm tra chứng thư của máy chủ; nếu do CA nội bộ cấp, ghi ca_file vào extra của kết nối.",
    ),
    (
        r"server closed the connection unexpectedly",
        "máy chủ ngắt kết nối ngay: cổng này không phải PostgreSQL, hoặc dịch vụ đang khởi động lại",
        "kiểm tra port của kết nối; nếu đúng cổng, hỏi đơn vị vận hành.",
    ),
    (
        r"connecterror",
        "không nối được tới máy chủ: sai tên hoặc cổng, dịch vụ chưa chạy, hoặc tường lửa chặn",
        "kiểm tra host và port của kết nối, hỏi đơn vị vận hành cổng đã mở cho máy này chưa.",
    ),
    (
        r"timeout|timed out",
        "hết thời gian chờ: máy chủ không trả lời",
        "kiểm tra tường lửa và đường truyền từ máy này tới nguồn.",
    ),
    (
        r"certificate|ssl|tls",
        "không thiết lập được kết nối mã hóa (TLS)",
        "kiểm tra chứng thư của máy chủ và tham số TLS (sslmode, CA) trong extra của kết nối.",
    ),
    (
        r"may not use the database|\b1044\b",
        "mật khẩu đúng, nhưng tài khoản không có quyền trên cơ sở dữ liệu này (hoặc sai tên cơ sở dữ liệu)",
        "cấp quyền SELECT trên cơ sở dữ liệu này cho tài khoản, hoặc sửa schema của kết nối.",
    ),
    (
        r"kept us waiting",
        "nguồn không trả lời trong thời hạn: có bảng đang bị khóa, hoặc máy chủ quá tải",
        "hỏi đơn vị vận hành ai đang giữ khóa; hoặc tăng read.timeout_s trong hợp đồng.",
    ),
    (
        r"database (\".*\" )?does not exist|unknown database|\b1049\b|3d000",
        "không có cơ sở dữ liệu này trên máy chủ",
        "sửa tên cơ sở dữ liệu (schema) của kết nối.",
    ),
    (
        r"pg_hba|is not allowed to connect|\b1130\b",
        "máy chủ không cho phép tài khoản này kết nối từ địa chỉ của máy này",
        "đề nghị đơn vị vận hành mở quyền truy cập từ địa chỉ của máy này.",
    ),
    (
        r"password authentication failed|no password supplied|authentication failed|role \".*\" does not exist"
        r"|not permitted to log in|access denied for user|\b1045\b|28p01|28000|unauthorized|invalid_grant|\b401\b",
        "sai tài khoản hoặc mật khẩu",
        "sửa login và password của kết nối.",
    ),
)


def connect_lines(rt: Runtime, conn_id: str) -> tuple[Connection | None, list[Line]]:
    """The connection if there is one, and the line about where it was found. Secrets are never shown."""
    variable = f"AIRFLOW_CONN_{conn_id.upper()}"
    try:
        connection = rt.resolve(conn_id)
    except ContractError:
        return None, [
            problem(
                "connection",
                f"Chưa có kết nối {conn_id!r}.",
                f"đặt biến môi trường {variable} (dạng URI hoặc JSON), hoặc tạo kết nối trong Airflow "
                "(Admin, Connections) cho các DAG.",
                variable=variable,
            )
        ]
    except UnreadableConnectionError as error:
        return None, [
            problem(
                "connection", f"Không hiểu được kết nối {conn_id!r}: {error.what}", error.next_step, variable=variable
            )
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:  # from Airflow: its words may quote a secret
        return None, [
            problem(
                "connection",
                f"Không hiểu được kết nối {conn_id!r} ({type(error).__name__}).",
                f"viết {variable} dạng URI (postgres://…, mysql://…, https://…) hoặc JSON có conn_type.",
                variable=variable,
            )
        ]
    where = f"biến môi trường {variable}" if os.environ.get(variable) else "Airflow"
    target = f"{connection.kind}, {connection.host or 'máy này'}" + (f":{connection.port}" if connection.port else "")
    return connection, [
        good("connection", f"Kết nối {conn_id!r} lấy từ {where}: {target}.", found_in=where, kind=connection.kind)
    ]


def unreachable(contract: SourceContract, error: LienThongError) -> Line:
    """Why the source could not be looked at, in words a person can act on."""
    said = error.what
    for pattern, what, next_step in _CAUSES:
        if re.search(pattern, said, re.IGNORECASE):
            return problem("reach", f"Không vào được nguồn: {what}.", next_step, error=said)
    if isinstance(error, SchemaDriftError):
        return problem("columns", f"Nguồn không có đủ bảng, cột cần đọc: {said}", error.next_step, error=said)
    if isinstance(error, ContractError):
        return problem("reach", f"Kết nối {contract.connection!r} không dùng được: {said}", error.next_step, error=said)
    what = "không trả lời" if isinstance(error, SourceUnreachableError) else "từ chối yêu cầu"
    return problem("reach", f"Nguồn {what}: {said}", error.next_step, error=said)
