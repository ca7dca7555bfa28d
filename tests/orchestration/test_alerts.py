"""Alerts through real task runs, a real SMTP server and a real web hook; see run_alerts.py for what was run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from devstack.postgres import Postgres
from lienthong.warehouse.engine import engine_for
from tests.freshness.conftest import COMMUNES
from tests.freshness.world import Province
from tests.orchestration.conftest import REPO

pytestmark = pytest.mark.xdist_group("airflow")

SILENT = "H17.120"
PERSON = "Nguyễn Thị Hoa"
Told = dict[str, Any]


@pytest.fixture(scope="module")
def everything(
    postgres: Postgres, warehouse_template: str, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Told]:
    """What each run of each DAG told; the source was read a month ago, with one commune silent."""
    name, folder = "alerts", tmp_path_factory.mktemp("alerts")
    postgres.drop_database(name)
    postgres.create_database(name, warehouse_template)
    engine = engine_for(postgres.url(name))
    province = Province(engine, folder, date(2026, 10, 22))
    province.agencies(*COMMUNES)
    province.history(COMMUNES, date(2026, 6, 1), date(2026, 10, 21))
    province.execute(
        "DELETE FROM freshness.volume WHERE agency_code = :code AND day >= '2026-10-20'", [{"code": SILENT}]
    )
    province.read()
    url = engine.url
    (folder / "airflow" / "dags").mkdir(parents=True)
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AIRFLOW", "_AIRFLOW"))}
    environment = kept | {
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(folder / "airflow" / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPO / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__API__BASE_URL": "http://airflow.example:8080",
        "PYTHONPATH": f"{REPO / 'plugins'}:{REPO}",
    }
    output = folder / "told.json"
    warehouse = f"postgres://{url.username}@{url.host}:{url.port}/{url.database}"
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("run_alerts.py")), warehouse, str(province.settings.sources),
         str(output)],
        env=environment, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    engine.dispose()
    postgres.drop_database(name)
    told: dict[str, Told] = json.loads(output.read_text())
    return told


@pytest.fixture
def told(everything: dict[str, Told]) -> Callable[[str], tuple[str, list[Told], list[Told]]]:
    """State, mails and posts of one run."""

    def of(name: str) -> tuple[str, list[Told], list[Told]]:
        run = everything[name]
        return run["state"], run["mails"], run["posts"]

    return of


Of = Callable[[str], tuple[str, list[Told], list[Told]]]


def test_without_connections_findings_are_kept_in_silence(told: Of) -> None:
    assert told("without channels") == ("success", [], [])


def test_a_channel_that_is_down_does_not_keep_the_other_from_telling(told: Of) -> None:
    state, mails, posts = told("mail server down")
    assert (state, mails) == ("failed", [])
    kinds = {finding["kind"] for finding in posts[0]["findings"]}
    assert kinds == {"source_stale", "agency_silent"}


def test_a_mail_says_what_where_since_when_what_to_do_and_where_to_look(told: Of) -> None:
    state, [mail], posts = told("mail server back")
    assert (state, posts) == ("success", []), "the web hook told it before"
    assert mail["from"] == "lienthong@tinh.example"
    assert mail["to"] == ["mot@tinh.example", "hai@tinh.example"]
    for words in (
        f"Xã {SILENT} ({SILENT})",
        "không có hồ sơ mới 2 ngày làm việc",
        "Từ: 20/10/2026",
        "Việc cần làm: hỏi cơ quan",
        "http://airflow.example:8080/dags/freshness/runs/manual",
        "chưa được đọc",
    ):
        assert words in mail["text"]


def test_a_web_hook_gets_the_text_for_a_chat_and_the_findings_for_programs(told: Of) -> None:
    post = told("mail server down")[2][0]
    assert (post["path"], post["token"]) == ("/hooks/chat", "abc")
    assert "Việc cần làm" in post["text"]
    assert post["link"].startswith("http://airflow.example:8080/dags/freshness/runs/manual")
    [silent] = [finding for finding in post["findings"] if finding["kind"] == "agency_silent"]
    assert (silent["tenant"], silent["source"], silent["subject"]) == ("H17", "opencps_h17", SILENT)
    assert (silent["severity"], silent["open"]) == ("warning", True)


def test_nothing_is_told_twice_and_an_end_is_told_once(told: Of) -> None:
    _, [mail], [post] = told("again")
    assert "ĐÃ HẾT" in mail["subject"]
    assert [finding["subject"] for finding in post["findings"]] == ["freshness.tell_findings"]
    assert told("judged after the failure") == ("success", [], [])


def test_a_failed_load_is_told_by_its_own_run_and_only_once(told: Of) -> None:
    state, [mail], [_post] = told("load fails")
    assert state == "failed"
    assert "Hệ thống nguồn không trả lời" in mail["subject"]
    assert "Chi tiết: nguồn opencps_h17, lần nạp " in mail["text"], "what our own error names"
    assert "khóa src_opencps_h17" in mail["text"]
    assert "dags/dossier_sync__opencps_h17/runs/manual" in mail["text"]
    assert "tasks/extract" in mail["text"]
    assert "secret" not in mail["text"]
    assert told("load fails again") == ("failed", [], [])


def test_a_parameter_that_was_given_wrongly_alarms_nobody(told: Of) -> None:
    assert told("wrong argument") == ("failed", [], [])


def test_mails_are_in_vietnamese_throughout(everything: dict[str, Told]) -> None:
    mails = [mail for run in everything.values() for mail in run["mails"]]
    assert len(mails) > 5
    english = re.compile(r"\b(the|is|not|of|was|next|source|load|key|and|to)\b", re.IGNORECASE)
    for mail in mails:
        text = re.sub(r"<[^>]*>|https?://\S+", "", mail["text"])
        assert english.findall(mail["subject"] + text) == []


@pytest.mark.parametrize("run", ["defect", "foreign", "fails"])
def test_words_that_are_not_our_own_never_leave(told: Of, run: str) -> None:
    state, [mail], [post] = told(run)
    assert state == "failed"
    assert "Lỗi ngoài dự kiến" in mail["subject"]
    for text in (mail["subject"], mail["text"], json.dumps(post, ensure_ascii=False)):
        assert PERSON not in text
        assert "the server said" not in text


def test_a_task_that_fails_again_after_it_worked_is_told_again(told: Of) -> None:
    assert told("fails again") == ("failed", [], [])
    assert told("works") == ("success", [], [])
    assert len(told("fails anew")[1]) == 1


def test_a_failure_that_cannot_be_remembered_is_told_on_every_channel(told: Of) -> None:
    state, [mail], [post] = told("warehouse down")
    assert state == "failed"
    assert "defect.look_up" in mail["subject"]
    assert [finding["subject"] for finding in post["findings"]] == ["defect.look_up"]


def test_a_channel_that_is_down_keeps_no_other_from_telling_what_cannot_be_remembered(told: Of) -> None:
    state, mails, [post] = told("warehouse and mail server down")
    assert (state, mails) == ("failed", [])
    assert [(finding["kind"], finding["subject"]) for finding in post["findings"]] == [
        ("task_failed", "defect.look_up")
    ]
