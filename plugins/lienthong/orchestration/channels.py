"""How alerts leave: by e-mail and to a web hook, through Airflow's notifiers. A channel exists if its connection does.

- `lienthong_alert_smtp` (type smtp): host, port, login, password; extra `from_email`, `to` (addresses, with commas),
  and what the SMTP provider knows (`disable_ssl`, `disable_tls`, `ssl_context`, …).
- `lienthong_alert_webhook` (type http): host is the whole address; login and password or extra headers if it wants any.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowException, AirflowNotFoundException, AirflowRuntimeError, ErrorType

from lienthong.model.errors import AlertChannelError, ContractError

if TYPE_CHECKING:
    from airflow.sdk import Connection

EMAIL = "lienthong_alert_smtp"
WEBHOOK = "lienthong_alert_webhook"
_TIMEOUT_S = 20


@dataclass(frozen=True)
class Message:
    """An alert: a subject, lines of text, where to look, and the same as data for programs."""

    subject: str
    lines: tuple[str, ...]
    link: str
    findings: tuple[dict[str, Any], ...] = field(default=())

    @property
    def text(self) -> str:
        return "\n".join((self.subject, "", *self.lines, "", f"Xem: {self.link}"))


Send = Callable[[Message], None]


def channels() -> dict[str, Send]:
    """Every channel that is configured, by the name of its connection; empty where nobody wants alerts."""
    known: dict[str, Callable[[Connection, Message], None]] = {EMAIL: _email, WEBHOOK: _webhook}
    found = {conn_id: _connection(conn_id) for conn_id in known}
    return {
        conn_id: _sender(conn_id, known[conn_id], connection)
        for conn_id, connection in found.items()
        if connection is not None
    }


def _sender(conn_id: str, deliver: Callable[[Connection, Message], None], connection: Connection) -> Send:
    def send(message: Message) -> None:
        try:
            deliver(connection, message)
        # Both clients raise OSErrors of their own; their words may quote what the other side said.
        except (OSError, AirflowException, ValueError, RuntimeError) as error:
            kind = f"{type(error).__module__}.{type(error).__qualname__}"
        else:
            return
        raise AlertChannelError(
            f"The alert was not taken ({kind}).",
            key=conn_id,
            next_step="check the connection; what was not told is told at the next run of the DAG freshness.",
        )

    return send


def _email(connection: Connection, message: Message) -> None:
    from airflow.providers.smtp.notifications.smtp import SmtpNotifier

    extra = connection.extra_dejson
    to, sender = extra.get("to"), extra.get("from_email")
    if not to or not sender:
        raise ContractError(
            "The connection says neither from whom nor to whom alerts go.",
            key=EMAIL,
            next_step='give its extra "from_email" and "to" (addresses, separated by commas).',
        )
    addresses = [one.strip() for one in to.split(",")] if isinstance(to, str) else list(to)
    body = "".join(f"{escape(line)}<br>\n" for line in message.lines)
    link = escape(message.link)
    SmtpNotifier(
        to=addresses,
        from_email=sender,
        subject=message.subject,
        html_content=f'<p>{body}</p>\n<p>Xem: <a href="{link}">{link}</a></p>\n',
        smtp_conn_id=EMAIL,
    ).notify({})  # not called as a callback: names of agencies are no templates


def _webhook(_connection: Connection, message: Message) -> None:
    from airflow.providers.http.notifications.http import HttpNotifier

    content = {"text": message.text, "title": message.subject, "link": message.link, "findings": list(message.findings)}
    HttpNotifier(http_conn_id=WEBHOOK, json=content, extra_options={"timeout": _TIMEOUT_S}).notify({})


def _connection(conn_id: str) -> Connection | None:
    try:
        return BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        return None
    except AirflowRuntimeError as error:
        if error.error.error is ErrorType.CONNECTION_NOT_FOUND:
            return None
        raise
