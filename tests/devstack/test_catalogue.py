"""The generated catalogue: complete, the same each time, and checked."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.xdist_group("airflow")


def _catalogue(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "devstack.catalogue", *arguments],
        cwd=REPO, env=os.environ | environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page as it would be written now; what this environment's Airflow is set to doesn't matter."""
    path = tmp_path_factory.mktemp("catalogue") / "catalogue.md"
    done = _catalogue("--page", str(path), LIENTHONG_SCHEDULES="off", AIRFLOW__CORE__DAGS_FOLDER="/nowhere")
    assert done.returncode == 0, done.stderr
    return path


def test_the_committed_page_is_up_to_date(page: Path) -> None:
    committed = (REPO / "docs" / "catalogue.md").read_text(encoding="utf-8")
    assert committed == page.read_text(encoding="utf-8"), "run make docs"


def test_every_rule_of_every_suite_is_there_with_its_words(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for suite in (REPO / "expectations").glob("*.json"):
        for expectation in json.loads(suite.read_text(encoding="utf-8"))["expectations"]:
            meta = expectation["meta"]
            (row,) = [
                line
                for line in text.split(f"`expectations/{suite.name}`")[1].split("\n## ")[0].splitlines()
                if line.startswith(f"| `{meta['rule_id']}` | {meta['severity']} |")
            ][:1]
            assert meta["title_vi"].replace("<", "&lt;") in row


def test_every_contract_has_its_dag_and_every_link_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for contract in (REPO / "include" / "sources").glob("*.yaml"):
        assert f"_sync__{contract.stem}`" in text
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert (REPO / "docs" / target).exists(), target
    headings = {
        re.sub(r"[^\w-]", "", heading.lower()) for heading in re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= headings


def test_the_check_fails_on_a_page_that_is_out_of_date(page: Path, tmp_path: Path) -> None:
    stale = tmp_path / "catalogue.md"
    stale.write_text(page.read_text(encoding="utf-8").replace("catalogue_sync", "catalog_sync"), encoding="utf-8")
    failed = _catalogue("--check", "--page", str(stale))
    assert failed.returncode == 1
    assert "make docs" in failed.stderr
