"""What the compose file promises about every service. No Docker engine is needed."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pytest
import yaml

from devstack.postgres import NO_ROWS_IN_LOG
from tests.deploy.conftest import DEPLOY, REPO, VARIABLE, interpolated
from tests.orchestration import conftest as _environment  # noqa: F401  # before Airflow is imported

ONE_OFF = {"init", "backup"}
AIRFLOW = {"init", "api-server", "scheduler", "dag-processor", "triggerer"}


def _services() -> list[str]:
    return sorted(yaml.safe_load((REPO / "docker-compose.yml").read_text(encoding="utf-8"))["services"])


def _default(value: object) -> str:
    """A value with the defaults of its variables."""
    return VARIABLE.sub(lambda found: found["rest"] if found["kind"] == ":-" else "x", str(value))


@pytest.fixture(params=_services())
def service(request: pytest.FixtureRequest, compose: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return request.param, compose["services"][request.param]


def test_it_follows_the_compose_specification() -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml"],
        cwd=REPO, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout


def test_every_service_runs_as_somebody_without_rights(service: tuple[str, dict[str, Any]]) -> None:
    _, what = service
    user, group = (int(part) for part in what["user"].split(":"))
    assert user > 0
    assert group > 0
    assert what["cap_drop"] == ["ALL"]
    assert what["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "network_mode", "pid", "devices"} & set(what)


def test_every_service_writes_to_its_volumes_and_to_memory_only(service: tuple[str, dict[str, Any]]) -> None:
    name, what = service
    assert what["read_only"] is True
    assert what.get("tmpfs") or name == "statsd"


def test_every_service_is_limited(service: tuple[str, dict[str, Any]]) -> None:
    limits = service[1]["deploy"]["resources"]["limits"]
    assert float(limits["cpus"]) > 0
    assert re.fullmatch(r"\d+[mg]", limits["memory"])
    assert limits["pids"] > 0


def test_every_service_rotates_its_log(service: tuple[str, dict[str, Any]]) -> None:
    assert service[1]["logging"] == {"driver": "json-file", "options": {"max-size": "10m", "max-file": "5"}}


def test_every_service_that_stays_is_watched_restarted_and_given_time_to_stop(
    service: tuple[str, dict[str, Any]],
) -> None:
    name, what = service
    if name in ONE_OFF:
        assert (what["restart"], what["healthcheck"]) == ("no", {"disable": True})
        return
    assert what["restart"] == "unless-stopped"
    assert what["stop_grace_period"]
    assert what["healthcheck"]["test"][0] == "CMD"
    assert {"interval", "timeout", "retries", "start_period"} <= set(what["healthcheck"])


@pytest.mark.parametrize(
    ("name", "component"),
    [
        ("api-server", "metadatabase"),
        ("scheduler", "scheduler"),
        ("dag-processor", "dag_processor"),
        ("triggerer", "triggerer"),
    ],
)
def test_every_component_of_airflow_is_asked_for_by_its_own_name(
    compose: dict[str, Any], name: str, component: str
) -> None:
    """The api-server answers for the page itself, and so for the database that it stands on."""
    host = "127.0.0.1" if name == "api-server" else "api-server"
    assert compose["services"][name]["healthcheck"]["test"] == [
        "CMD", "python", "/opt/lienthong/deploy/healthcheck.py", component, f"http://{host}:8080/api/v2/monitor/health",
    ]  # fmt: skip


def test_every_other_service_that_stays_is_asked_itself(compose: dict[str, Any]) -> None:
    for name in ("postgres", "simulator-postgres"):
        check = compose["services"][name]["healthcheck"]["test"]
        assert (check[1], check[3]) == ("pg_isready", "--host=127.0.0.1")
    for name, page in (("simulator", ":9000/_sim/health"), ("statsd", ":9102/metrics")):
        assert compose["services"][name]["healthcheck"]["test"][-1] == f"http://127.0.0.1{page}"


def test_the_scheduler_has_memory_for_all_tasks_at_once_and_for_itself(compose: dict[str, Any]) -> None:
    """A task takes at most 1 GiB, and Airflow runs as many at once as its parallelism says."""
    at_once = int(_default(compose["x-airflow-environment"]["AIRFLOW__CORE__PARALLELISM"]))
    memory = compose["services"]["scheduler"]["deploy"]["resources"]["limits"]["memory"]
    mebibytes = int(memory[:-1]) * {"m": 1, "g": 1024}[memory[-1]]
    assert mebibytes >= (at_once + 1) * 1024


def test_every_image_has_a_version_and_ours_comes_from_the_dockerfile(service: tuple[str, dict[str, Any]]) -> None:
    name, what = service
    tag = _default(what["image"]).rpartition(":")[2]
    assert tag
    assert tag != "latest"
    if "build" in what:
        assert f" AS {what['build']['target']}\n" in (REPO / "Dockerfile").read_text(encoding="utf-8")
    else:
        assert re.search(r"\d+\.\d+", tag), name


def test_only_the_api_server_is_reachable_and_only_on_the_loopback_interface(compose: dict[str, Any]) -> None:
    ports = {name: what["ports"] for name, what in compose["services"].items() if "ports" in what}
    assert set(ports) == {"api-server"}
    assert all(str(port).startswith("127.0.0.1:") for port in ports["api-server"])


def test_postgresql_has_no_way_to_the_internet(compose: dict[str, Any]) -> None:
    assert compose["services"]["postgres"]["networks"] == ["database"]
    assert compose["networks"]["database"] == {"internal": True}


def test_no_server_writes_rows_into_its_log(compose: dict[str, Any]) -> None:
    """What these settings do is seen in tests/warehouse/test_refused_rows.py."""
    servers = [what for what in compose["services"].values() if str(what["image"]).startswith("postgres:")]
    servers = [what for what in servers if "entrypoint" not in what]  # the backup is a client
    assert len(servers) == 2
    for what in servers:
        assert {f"-c{name}={setting}" for name, setting in NO_ROWS_IN_LOG.items()} <= set(what["command"])


def test_no_secret_is_written_down_and_none_has_a_default(compose_text: str, compose: dict[str, Any]) -> None:
    secret = re.compile(r"PASSWORD|SECRET|FERNET|PGPASS")
    for found in VARIABLE.finditer(compose_text):
        if secret.search(found["name"]):
            assert found["kind"] == ":?" or (found["name"].startswith("SIMULATOR_") and found["rest"] == ""), found[0]
    for name, what in compose["services"].items():
        for variable, value in what.get("environment", {}).items():
            if secret.search(variable) or ("://" in str(value) and "@" in str(value)):
                assert VARIABLE.search(str(value)), f"{name}: {variable}"


def test_without_a_secret_nothing_starts(compose_text: str, server_env: dict[str, str]) -> None:
    for secret in ("POSTGRES_PASSWORD", "AIRFLOW_FERNET_KEY", "AIRFLOW_JWT_SECRET", "AIRFLOW_ADMIN_PASSWORD"):
        with pytest.raises(KeyError, match=secret):
            interpolated(compose_text, server_env | {secret: ""})


def test_every_variable_is_in_the_example_and_in_the_manual_and_no_other(compose_text: str) -> None:
    used = {found["name"] for found in VARIABLE.finditer(compose_text)}
    example = (DEPLOY / "server.env.example").read_text(encoding="utf-8")
    assert set(re.findall(r"^(\w+)=", example, flags=re.MULTILINE)) == used
    manual = (REPO / "docs" / "operate.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([A-Z_]+)` \|", manual, flags=re.MULTILINE)) == used


def test_the_example_shows_the_defaults_of_the_compose_file(compose_text: str) -> None:
    example = (DEPLOY / "server.env.example").read_text(encoding="utf-8")
    shown = dict(re.findall(r"^(\w+)=(.*)$", example, flags=re.MULTILINE))
    for found in VARIABLE.finditer(compose_text):
        assert shown[found["name"]] == (found["rest"] if found["kind"] == ":-" else ""), found["name"]


def test_a_generated_environment_fills_every_secret_differently_each_time(server_env: dict[str, str]) -> None:
    secrets = [value for name, value in server_env.items() if re.search(r"PASSWORD|SECRET|FERNET", name)]
    assert all(len(value) >= 44 for value in secrets)
    assert len(set(secrets)) == len(secrets)
    again = subprocess.run(["sh", str(DEPLOY / "new-env.sh")], capture_output=True, text=True, check=True).stdout
    assert not any(value in again for value in secrets)


def test_a_generated_fernet_key_is_one(server_env: dict[str, str]) -> None:
    from cryptography.fernet import Fernet

    Fernet(server_env["AIRFLOW_FERNET_KEY"].encode())


def test_airflow_knows_every_setting_and_all_components_share_them(compose: dict[str, Any]) -> None:
    from airflow.configuration import conf

    known = {
        f"AIRFLOW__{section}__{option}".upper()
        for section, description in conf.configuration_description.items()
        for option in description["options"]
    }
    shared = compose["x-airflow-environment"]
    for name in AIRFLOW:
        environment = compose["services"][name]["environment"]
        assert environment.items() >= shared.items()
        assert {each for each in environment if each.startswith("AIRFLOW__")} <= known


def test_passwords_go_only_to_those_who_use_them(compose: dict[str, Any]) -> None:
    """Tasks run in the scheduler; the dag-processor runs the callbacks of tasks that were lost."""
    services = compose["services"]
    files = {name: {file["path"] for file in what.get("env_file", ())} for name, what in services.items()}
    assert {name for name, given in files.items() if "connections.env" in given} == {"scheduler"}
    assert {name for name, given in files.items() if "alerts.env" in given} == {"scheduler", "dag-processor"}
    holders: dict[str, set[str]] = {}
    for name, what in services.items():
        for variable in what.get("environment", {}):
            holders.setdefault(variable, set()).add(name)
    warehouse = "AIRFLOW_CONN_LIENTHONG_WAREHOUSE"
    assert warehouse not in holders, "no login does the work of all steps"
    assert holders[f"{warehouse}_MIGRATOR"] == {"init"}
    assert holders[f"{warehouse}_LOADER"] == {"scheduler", "dag-processor"}
    for role in ("PUSHER", "SCORER", "READER"):
        assert holders[f"{warehouse}_{role}"] == {"scheduler"}
        assert holders[f"WAREHOUSE_{role}_PASSWORD"] == {"postgres"}
    assert holders["AIRFLOW_ADMIN_PASSWORD"] == {"init"}
    assert holders["WAREHOUSE_PASSWORD"] == {"postgres", "backup"}


def test_every_command_is_one_of_airflows(compose: dict[str, Any]) -> None:
    from airflow.cli.cli_parser import get_parser

    for name in AIRFLOW - {"init"}:
        arguments = get_parser().parse_args(compose["services"][name]["command"])
        assert arguments.subcommand == name


def test_the_simulators_command_is_one_of_the_simulators(compose: dict[str, Any]) -> None:
    from simulator.__main__ import _parser

    script = compose["services"]["simulator"]["command"][0].replace("$$", "$").replace("\\\n", " ")
    arguments = re.search(r"exec python -m simulator (.+)", script)
    assert arguments is not None
    words = [
        word.strip('"').replace("$SIMULATOR_SIZE", "10").replace("$SIMULATOR_LIVE_EVERY", "1")
        for word in arguments[1].split()
    ]
    assert _parser().parse_args(words).port == 9000


def test_what_is_mounted_from_the_checkout_is_there(service: tuple[str, dict[str, Any]]) -> None:
    for volume in service[1].get("volumes", []):
        source = volume.split(":")[0]
        if source.startswith("./"):
            assert (REPO / source).exists(), volume


def test_an_empty_variable_is_an_empty_text_and_not_nothing(compose_text: str, server_env: dict[str, str]) -> None:
    for name, what in yaml.safe_load(interpolated(compose_text, server_env))["services"].items():
        assert None not in what.get("environment", {}).values(), name
