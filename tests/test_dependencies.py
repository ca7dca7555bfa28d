"""What is imported is declared: by the product in `dependencies`, by everything else there or in the extra `dev`."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions

import pytest

from lienthong.settings import PROJECT

PRODUCT = ("plugins", "dags")
AROUND = ("simulator", "devstack", "benchmarks", "tests")
OURS = {"lienthong", *AROUND}
#: Declared and imported nowhere: they run beside the product, or others load them by name.
NOT_IMPORTED = {
    "apache-airflow": "installs the other packages of Airflow",
    "openpyxl": "what pandas reads and writes workbooks with",
    "apache-airflow-providers-postgres": "connections of type postgres",
    "apache-airflow-providers-fab": "log-in to the web server",
    "apache-airflow-providers-http": "connections of type http",
    "apache-airflow-providers-smtp": "mail of alerts",
    "apache-airflow-providers-standard": "operators that Airflow itself expects",
    "pymysql": "SQLAlchemy loads it by the name in a URL",
    "statsd": "Airflow's metrics",
}


def canonical(name: str) -> str:
    """The name of a distribution, as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def named(requirements: list[str]) -> set[str]:
    return {canonical(re.split(r"[^A-Za-z0-9._-]", text, maxsplit=1)[0]) for text in requirements}


def declared() -> tuple[set[str], set[str]]:
    """Distributions of the product, and of the product and development."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    product = named(project["dependencies"])
    return product, product | named(project["optional-dependencies"]["dev"])


def modules_of(tree: ast.AST) -> Iterator[str]:
    """First parts of what is imported anywhere in a file, also inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module.partition(".")[0]


def imported(folders: tuple[str, ...]) -> dict[str, str]:
    """Imported module of others → one file that imports it."""
    found: dict[str, str] = {}
    for folder in folders:
        for path in sorted((PROJECT / folder).rglob("*.py")):
            for module in modules_of(ast.parse(path.read_text(encoding="utf-8"))):
                if module not in OURS and module not in sys.stdlib_module_names:
                    found.setdefault(module, path.relative_to(PROJECT).as_posix())
    return found


def undeclared(folders: tuple[str, ...], known: set[str]) -> dict[str, str]:
    makers = packages_distributions()
    return {
        module: path
        for module, path in imported(folders).items()
        if not known & {canonical(maker) for maker in makers.get(module, [module])}
    }


@pytest.mark.parametrize("folders", [PRODUCT, AROUND], ids=["product", "around"])
def test_every_package_that_is_imported_is_declared(folders: tuple[str, ...]) -> None:
    product, whole = declared()
    assert undeclared(folders, product if folders is PRODUCT else whole) == {}


def test_a_package_that_nobody_declared_is_found() -> None:
    product, whole = declared()
    assert set(undeclared(PRODUCT, product - {"croniter"})) == {"croniter"}
    assert {"pytest", "starlette"} <= set(undeclared(AROUND, product)), "tests need more than the product"
    assert undeclared(AROUND, whole) == {}


def test_every_package_that_the_product_declares_is_imported_or_says_why_not() -> None:
    product, _ = declared()
    makers = packages_distributions()
    used = {canonical(maker) for module in imported(PRODUCT) for maker in makers.get(module, [])}
    assert sorted(product - used - set(NOT_IMPORTED)) == []
    assert set(NOT_IMPORTED) <= product
