"""What no committed file may hold."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from devstack.precommit import LARGE, main, problems

REPO = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("-----BEGIN RSA " + "PRIVATE KEY-----", "a private key"),
        ("aws = 'AKIA" + "ABCDEFGHIJKLMNOP'", "an access key"),
        ("token: ghp_" + "a" * 36, "a token"),
        ("url = 'postgresql://app:" + "hunter2hunter2@db.agency.vn/x'", "a password in a URL"),
        ("POSTGRES_PASSWORD=" + "0123456789abcdef", "a value of a secret variable"),
        ("<" * 7 + " HEAD", "left over from a merge"),
    ],
)
def test_a_secret_or_a_leftover_is_named_by_its_place_and_not_quoted(tmp_path: Path, line: str, what: str) -> None:
    file = tmp_path / "settings.txt"
    file.write_text(f"first\n{line}\n")
    (found,) = problems(file)
    assert found.startswith(f"{file}:2: ")
    assert what in found
    assert line not in found


@pytest.mark.parametrize(
    "line",
    [
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN: postgresql+psycopg2://airflow:${AIRFLOW_DB_PASSWORD:?set it}@postgres/x",
        "url = f'postgresql://{user}:{password}@{host}/x'",
        "POSTGRES_PASSWORD=",
        "http://user:password@igate.example/api",
        "POSTGRES_PASSWORD=0123456789abcdef  # secret: none",
        "=======  a heading",
    ],
)
def test_what_only_looks_like_one_passes(tmp_path: Path, line: str) -> None:
    file = tmp_path / "settings.txt"
    file.write_text(line + "\n")
    assert list(problems(file)) == []


def test_a_large_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "dump.bin"
    file.write_bytes(b"\0" * (LARGE + 1))
    assert main([str(file)]) == 1


def test_nothing_in_the_checkout_holds_any() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=REPO, capture_output=True, text=True, check=True
    ).stdout
    files = [REPO / name for name in listed.split("\0") if name and (REPO / name).is_file()]
    assert [problem for file in files for problem in problems(file)] == []


def test_every_hook_runs_from_the_projects_own_environment() -> None:
    config = yaml.safe_load((REPO / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert [repo["repo"] for repo in config["repos"]] == ["local"], "nothing is downloaded"
    for hook in config["repos"][0]["hooks"]:
        assert hook["language"] == "system"
        assert (REPO / hook["entry"].split()[0]).exists(), hook["id"]


@pytest.mark.parametrize(
    ("statement", "refused"),
    [
        ("SELECT a FROM t WHERE tenant = :tenant AND at < :end;", False),
        ("SELECT row_no FROM {batch} WHERE a = ANY(CAST(:keys AS text []));", False),
        ("select a FROM t;", True),
        ("SELECT a FROM t WHERE tenant = :tenant AND " + " AND ".join(["a = 1"] * 20) + ";", True),
        ("SELECT a b FROM t;", True),
    ],
)
def test_sql_is_held_to_the_houses_style(statement: str, refused: bool) -> None:
    linted = subprocess.run(
        [REPO / ".venv" / "bin" / "sqlfluff", "lint", "-"],
        cwd=REPO, input=statement + "\n", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (linted.returncode != 0) is refused, linted.stdout
