"""Run in a process of its own: real task runs of real DAGs, with a real SMTP server and a real web hook.

Arguments: the warehouse's URI, the folder of the contracts, the file for what was told. Prints nothing of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
import threading
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parents[2]


class Mailbox:
    """What the SMTP server took."""

    def __init__(self) -> None:
        self.mails: list[dict[str, Any]] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # the library's name
        parsed: Any = message_from_bytes(envelope.content, policy=policy.default)
        body = parsed.get_body(("html", "plain")) or parsed
        self.mails.append(
            {
                "from": envelope.mail_from,
                "to": list(envelope.rcpt_tos),
                "subject": str(parsed["subject"]),
                "text": body.get_content(),
            }
        )
        return "250 OK"


class Hook(BaseHTTPRequestHandler):
    """A chat's web hook."""

    posts: list[dict[str, Any]] = []  # noqa: RUF012  # one server per process

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.posts.append({"path": self.path, "token": self.headers.get("X-Token"), **json.loads(content)})
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_arguments: Any) -> None:
        """Silent."""


def main(warehouse: str, sources: str, output: str) -> None:
    from aiosmtpd.controller import Controller

    mailbox = Mailbox()
    mail_port = _free_port()
    smtp = Controller(mailbox, hostname="127.0.0.1", port=mail_port)
    smtp.start()
    hook = HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=hook.serve_forever, daemon=True).start()

    os.environ["AIRFLOW_CONN_LIENTHONG_WAREHOUSE"] = warehouse
    os.environ["LIENTHONG_SOURCES"] = sources
    os.environ["AIRFLOW_CONN_SRC_OPENCPS_H17"] = "postgres://nobody:secret@127.0.0.1:1/none"

    def configure(port: int) -> None:
        extra = {
            "from_email": "lienthong@tinh.example", "to": "mot@tinh.example, hai@tinh.example",
            "disable_ssl": True, "disable_tls": True, "retry_limit": 0, "timeout": 5,
        }  # fmt: skip
        os.environ["AIRFLOW_CONN_LIENTHONG_ALERT_SMTP"] = json.dumps(
            {"conn_type": "smtp", "host": "127.0.0.1", "port": port, "extra": json.dumps(extra)}
        )
        os.environ["AIRFLOW_CONN_LIENTHONG_ALERT_WEBHOOK"] = json.dumps(
            {
                "conn_type": "http",
                "host": f"http://127.0.0.1:{hook.server_port}/hooks/chat",
                "extra": json.dumps({"X-Token": "abc"}),
            }
        )

    from airflow.utils.db import initdb

    initdb()
    dags = _dags()
    told: dict[str, Any] = {}

    def run(name: str, dag_id: str, conf: dict[str, Any] | None = None) -> None:
        before, posts = len(mailbox.mails), len(Hook.posts)
        state = dags[dag_id].test(run_conf=conf).state
        told[name] = {"state": str(state), "mails": mailbox.mails[before:], "posts": Hook.posts[posts:]}

    run("without channels", "freshness")
    configure(1)
    run("mail server down", "freshness")
    configure(mail_port)
    run("mail server back", "freshness")
    run("again", "freshness")
    run("wrong argument", "dossier_sync__opencps_h17", {"window_from": "2026-10-01T00:00:00Z"})
    run("load fails", "dossier_sync__opencps_h17")
    run("load fails again", "dossier_sync__opencps_h17")
    run("judged after the failure", "freshness")
    for name in ("defect", "foreign"):
        run(name, name)
    for name, broken in (("fails", "yes"), ("fails again", "yes"), ("works", ""), ("fails anew", "yes")):
        os.environ["FLAKY_IS_BROKEN"] = broken
        run(name, "flaky")
    os.environ["AIRFLOW_CONN_LIENTHONG_WAREHOUSE"] = "postgres://nobody@127.0.0.1:1/none"
    run("warehouse down", "defect")
    configure(1)
    run("warehouse and mail server down", "defect")
    Path(output).write_text(json.dumps(told, ensure_ascii=False))
    smtp.stop()
    hook.shutdown()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _dags() -> dict[str, Any]:
    """The DAGs of Airflow's DAG folder, without retries: the real ones and those that fail on purpose."""
    from airflow.dag_processing.dagbag import DagBag

    from lienthong.orchestration.defaults import TASK_DEFAULTS

    TASK_DEFAULTS["retries"] = 0
    folder = Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
    for name in ("freshness.py", "source_sync.py"):
        shutil.copy(REPO / "dags" / name, folder)
    shutil.copy(Path(__file__).with_name("failing_dags.py"), folder)
    bag = DagBag(dag_folder=folder, bundle_path=folder)
    assert not bag.import_errors, bag.import_errors
    return dict(bag.dags)


main(*sys.argv[1:])
