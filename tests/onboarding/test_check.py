"""`source check`: it finds what is wrong with a source, and it leaves nothing behind, even when it is killed."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from devstack.postgres import Postgres, free_port
from lienthong.connections import WAREHOUSE, Connection
from lienthong.model.errors import SourceAccessError, SourceUnreachableError
from lienthong.onboarding.add_source import add_source
from lienthong.onboarding.check import check
from lienthong.onboarding.lines import CheckReport, Level, Line
from lienthong.onboarding.reach import unreachable
from lienthong.pipeline.runtime import Runtime, utc_now
from simulator.igate import IgateServer
from simulator.world import World
from tests.pipeline.conftest import running
from tests.world import Live, Wiring, igate_connection

pytestmark = pytest.mark.xdist_group("source_check")

SOURCE, CONNECTION = "opencps_h17", "src_opencps_h17"
READER = "province_reader"
SCHEMAS = "'ops', 'registry', 'staging', 'dossier', 'quality', 'exchange', 'indices'"


@pytest.fixture(scope="module")
def live(request: pytest.FixtureRequest) -> Iterator[Live]:
    """Đà Nẵng loaded once and read through an account that may only read; Hà Nội never loaded."""
    with running(request) as started:
        started.sync_catalogue()
        started.load(SOURCE)
        postgres: Postgres = request.getfixturevalue("postgres")
        started.at_source(
            "H17",
            f"DROP ROLE IF EXISTS {READER}",
            f"CREATE ROLE {READER} LOGIN PASSWORD 'right'",
            f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {READER}",
        )
        started.connections[CONNECTION] = replace(started.connections[CONNECTION], login=READER, password="right")
        with passwords_asked_for(postgres, READER):
            yield started
        started.at_source("H17", f"DROP OWNED BY {READER}", f"DROP ROLE {READER}")


@contextmanager
def passwords_asked_for(postgres: Postgres, role: str) -> Iterator[None]:
    """The server trusts everybody but this role."""
    rules = postgres.data / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text(f"host all {role} 127.0.0.1/32 scram-sha-256\n{before}")
    reload(postgres)
    yield
    rules.write_text(before)
    reload(postgres)


def reload(postgres: Postgres) -> None:
    connection = postgres._connect("postgres")
    connection.autocommit = True
    connection.cursor().execute("SELECT pg_reload_conf()")
    connection.close()


def look(live: Live, source: str = SOURCE, sample: int = 0, **changes: Any) -> CheckReport:
    """A check with today's clock and, by default, without a sample."""
    rt = Runtime(live.settings, live.wiring.resolve, utc_now)
    return check(replace(rt, **changes), source, sample)


def connected(live: Live, **changes: Any) -> Any:
    """A resolver that gives the source another connection."""

    def resolve(conn_id: str) -> Connection:
        found = live.wiring.resolve(conn_id)
        return replace(found, **changes) if conn_id == CONNECTION else found

    return resolve


@contextmanager
def at_source(live: Live, change: str, back: str) -> Iterator[None]:
    live.at_source("H17", change)
    try:
        yield
    finally:
        live.at_source("H17", back)


def lines(report: CheckReport, topic: str) -> list[Line]:
    return [line for line in report.lines if line.topic == topic]


def everything(live: Live) -> dict[str, Any]:
    """Every table of the warehouse by name with a digest of its rows, and every landed file."""
    tables = live.rows(
        "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        f"WHERE n.nspname IN ({SCHEMAS}) AND c.relkind = 'r' ORDER BY 1"
    )
    rows = {
        name: live.rows(f"SELECT count(*), md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {name} t")
        for (name,) in tables
    }
    landing = Path(live.settings.landing_url.removeprefix("file://"))
    return {**rows, "landing": sorted(str(path) for path in landing.rglob("*"))}


def left_samples() -> list[Path]:
    return list(Path(os.environ.get("TMPDIR", "/tmp")).glob(f"lienthong-sample-{os.getpid()}-*"))


def test_a_good_source_is_ready_and_nothing_of_the_check_stays(live: Live) -> None:
    before = everything(live)
    heard: list[Line] = []
    report = check(Runtime(live.settings, live.wiring.resolve, utc_now), SOURCE, 60, heard.append)
    assert report.ok, [line.text for line in report.lines if line.level is Level.PROBLEM]
    assert tuple(heard) == report.lines
    for topic in ("contract", "connection", "reach", "read", "write", "columns", "index", "clock", "zone", "codes"):
        assert report.level_of(topic) is Level.OK, topic
    (sample,) = lines(report, "sample")
    assert 50 <= sample.data["rows"]["dossier"] <= 60
    assert lines(report, "gate")[0].data["dossiers"] == sample.data["rows"]["dossier"]
    assert everything(live) == before
    assert left_samples() == []


def test_a_province_that_was_never_loaded_leaves_no_partition(live: Live) -> None:
    before = everything(live)
    report = look(live, "opencps_h26", sample=40)
    (verdict,) = lines(report, "gate")
    assert verdict.data["dossiers"] > 30
    assert everything(live) == before
    assert live.rows("SELECT to_regclass('staging.dossier__h26')") == [(None,)]


def test_the_gate_says_what_a_load_would_say(live: Live) -> None:
    """As many dossiers as there are: the rules find in the sample what they found in the load."""
    found = {
        (line.data["entity"], line.data["rule_id"]): line.data["rows"]
        for line in lines(look(live, sample=400), "rule")
        if line.data["rule_id"] != "orphan_child"  # a sample reads no children without dossier
    }
    loaded = live.rows(
        "SELECT entity, rule_id, failed FROM quality.gate_result "
        "WHERE tenant = 'H17' AND failed > 0 AND rule_id <> 'orphan_child'"
    )
    assert found == {(entity, rule): failed for entity, rule, failed in loaded}
    assert len(found) > 3


def die_in_the_gate(wiring: Wiring) -> None:
    """A check that is killed when Great Expectations is done and violations are being written."""

    def strike(_: Any, __: Any, statement: str, *rest: Any) -> None:
        if "INSERT INTO staging.violation" in statement:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "before_cursor_execute", strike)
    check(Runtime(wiring.settings, wiring.resolve, utc_now), SOURCE, 60)


def test_a_check_that_is_killed_in_the_gate_leaves_nothing(live: Live) -> None:
    before = everything(live)
    child = multiprocessing.get_context("forkserver").Process(target=die_in_the_gate, args=(live.wiring,))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    assert everything(live) == before
    left = list(Path(os.environ.get("TMPDIR", "/tmp")).glob(f"lienthong-sample-{child.pid}-*"))
    assert left, "the killed check could not remove its sample"
    look(live, sample=1, resolve=without_a_warehouse(live))
    assert not any(folder.exists() for folder in left)


def without_a_warehouse(live: Live) -> Any:
    rest = {name: found for name, found in live.connections.items() if name != WAREHOUSE}
    return Wiring(live.settings, rest, live.clock).resolve


def test_without_a_warehouse_the_mapping_is_still_tried(live: Live) -> None:
    report = look(live, sample=20, resolve=without_a_warehouse(live))
    assert report.ok
    assert report.level_of("sample") is Level.OK
    assert "bỏ qua" in lines(report, "gate")[0].text


def test_an_unmigrated_warehouse_is_a_problem_of_the_warehouse(live: Live) -> None:
    bare = live.connections[WAREHOUSE]
    connections = {**live.connections, WAREHOUSE: replace(bare, schema="postgres")}
    report = look(live, sample=5, resolve=Wiring(live.settings, connections, live.clock).resolve)
    assert report.level_of("reach") is Level.OK
    assert "lienthong migrate" in str(lines(report, "gate")[0].next_step)


def test_no_personal_data_in_what_a_check_says(live: Live) -> None:
    report = json.dumps(look(live, sample=400).to_json(), ensure_ascii=False)
    names = live.rows("SELECT applicant_name, applicant_id_number, applicant_phone FROM dossier.person LIMIT 400")
    assert len(names) > 100
    dummy = "000000001"  # the example in the explanation of its rule
    assert not [value for row in names for value in row if value and value != dummy and value in report]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"password": "wrong"}, "sai tài khoản hoặc mật khẩu"),
        ({"port": "free"}, "từ chối kết nối"),
        ({"schema": "no_such_database"}, "không có cơ sở dữ liệu"),
        ({"extra": {"sslmode": "require"}}, "TLS"),
        ({"kind": "carrier-pigeon"}, "không dùng được"),
    ],
)
def test_a_source_that_can_not_be_reached_says_why(live: Live, change: dict[str, Any], words: str) -> None:
    change = {name: free_port() if value == "free" else value for name, value in change.items()}
    report = look(live, resolve=connected(live, **change))
    assert not report.ok
    (line,) = lines(report, "reach")
    assert words in line.text
    assert line.next_step
    told = json.dumps(report.to_json())
    assert "wrong" not in told
    assert "FATAL" not in told, "a kind of failure, not the driver's words"
    assert "no_such_database" not in told


class _NoHttp(socketserver.BaseRequestHandler):
    """A service that answers at once and hangs up, as an HTTP server does with what it does not understand."""

    said = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"

    def handle(self) -> None:
        self.request.recv(1024)
        self.request.sendall(self.said)


@contextmanager
def http_service() -> Iterator[int]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _NoHttp) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield int(server.server_address[1])
        server.shutdown()


@pytest.mark.parametrize("sslmode", ["prefer", "require", "disable"])
def test_a_port_of_an_http_service_is_not_taken_for_trouble_with_certificates(live: Live, sslmode: str) -> None:
    with http_service() as port:
        (line,) = lines(look(live, resolve=connected(live, port=port, extra={"sslmode": sslmode})), "reach")
    assert "không phải PostgreSQL" in line.text
    assert "port" in str(line.next_step)
    assert "TLS" not in line.text


def igate_refusal(port: int, scheme: str) -> Line:
    """What a check says of an iGate whose address is another service's."""
    from lienthong.sources.igate.client import IgateClient
    from tests.sources.igate import contract_of

    url = f"{scheme}://127.0.0.1:{port}"
    connection = Connection(
        "src_igate_h21", kind=scheme, host="127.0.0.1", port=port, login="reader", password="p", schema=scheme,
        extra={"token_url": f"{url}/token", "client_id": "c"},
    )  # fmt: skip
    contract = contract_of(http={"attempts": 1})
    with IgateClient(contract, connection) as client, pytest.raises(SourceUnreachableError) as caught:
        client.search(0, 1)
    return unreachable(contract, caught.value)


@pytest.mark.parametrize(
    ("scheme", "words"), [("http", "cổng này không trả lời theo HTTP"), ("https", "cổng này không nói HTTPS")]
)
def test_an_igate_whose_port_is_postgresqls_is_told_so(postgres: Postgres, scheme: str, words: str) -> None:
    line = igate_refusal(postgres.port, scheme)
    assert words in line.text
    assert "port" in str(line.next_step)


def test_an_igate_asked_by_https_at_a_port_without_it_is_told_so() -> None:
    with http_service() as port:
        line = igate_refusal(port, "https")
    assert "cổng này không nói HTTPS" in line.text


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ('could not translate host name "db.example" to address: Name or service not known', "không tìm thấy máy chủ"),
        ("Can't connect to MySQL server on 'db.example' ([Errno -2] Name or service not known)", "không tìm thấy"),
        ("Can't connect to MySQL server on 'db.example' ([Errno 111] Connection refused)", "từ chối kết nối"),
        ("connection to server failed: timeout expired", "hết thời gian chờ"),
        ("The source does not answer (no answer (ConnectError)), after 5 tries.", "không nối được"),
        ("(1045, \"Access denied for user 'reader'@'10.0.0.1' (using password: YES)\")", "sai tài khoản"),
        ("(1049, \"Unknown database 'opencps'\")", "không có cơ sở dữ liệu"),
        ("(1130, \"Host '10.0.0.1' is not allowed to connect to this MySQL server\")", "không cho phép"),
        ('no pg_hba.conf entry for host "10.0.0.1", user "reader", no encryption', "không cho phép"),
        ('server certificate for "db.example" does not match host name', "TLS"),
    ],
)
def test_the_words_of_drivers_are_understood(live: Live, said: str, words: str) -> None:
    for kind in (SourceUnreachableError, SourceAccessError):
        assert words in unreachable(live.rt.contract(SOURCE), kind(said, next_step="look.")).text


def test_a_missing_connection_names_its_variable(live: Live) -> None:
    report = look(live, resolve=Wiring(live.settings, {}, live.clock).resolve)
    (line,) = lines(report, "connection")
    assert line.level is Level.PROBLEM
    assert "AIRFLOW_CONN_SRC_OPENCPS_H17" in str(line.next_step)


def test_a_contract_with_a_mistake_is_told_by_line(live: Live) -> None:
    path = live.settings.sources / "opencps_broken.yaml"
    path.write_text("source_id: opencps_broken\ntenant: Q\ndossier: {}\n")
    try:
        (line,) = look(live, "opencps_broken").lines
    finally:
        path.unlink()
    assert (line.topic, line.level) == ("contract", Level.PROBLEM)
    assert "Line 2" in line.text


def test_a_missing_column_is_a_problem_and_its_new_name_is_a_hint(live: Live) -> None:
    with at_source(
        live,
        'ALTER TABLE opencps_dossier RENAME "receiveDate" TO "receivedDate"',
        'ALTER TABLE opencps_dossier RENAME "receivedDate" TO "receiveDate"',
    ):
        report = look(live, sample=10)
    missing = [line for line in lines(report, "columns") if line.level is Level.PROBLEM]
    assert [line.data["missing"] for line in missing] == [
        "column opencps_dossier.receiveDate (now perhaps receivedDate)"
    ]
    assert "Chưa lấy mẫu" in lines(report, "sample")[0].text


def test_the_database_of_another_province_is_a_problem(live: Live) -> None:
    """A connection that is one digit off reads well: only the agencies tell."""
    with contract_says(live, "tenant: H17", "tenant: H26"):
        [line] = lines(look(live, sample=50), "agencies")
    assert line.level is Level.PROBLEM
    assert "H17, hợp đồng ghi H26" in line.text
    assert SOURCE in line.next_step
    assert not lines(look(live, sample=50), "agencies")


def test_a_column_nobody_maps_is_a_warning(live: Live) -> None:
    with at_source(
        live,
        'ALTER TABLE opencps_dossier ADD COLUMN "diemHaiLong" integer',
        'ALTER TABLE opencps_dossier DROP COLUMN "diemHaiLong"',
    ):
        report = look(live)
    (line,) = lines(report, "unmapped_columns")
    assert (line.level, line.data["columns"]) == (Level.WARNING, ["diemHaiLong"])
    assert report.ok


def test_an_account_that_may_write_is_a_warning(live: Live) -> None:
    with at_source(
        live,
        f"GRANT INSERT, DELETE ON opencps_dossier TO {READER}",
        f"REVOKE INSERT, DELETE ON opencps_dossier FROM {READER}",
    ):
        report = look(live)
    (line,) = lines(report, "write")
    assert (line.level, line.data["rights"]) == (Level.WARNING, ["INSERT opencps_dossier", "DELETE opencps_dossier"])
    assert look(live, resolve=connected(live, login="lienthong")).level_of("write") is Level.WARNING


def test_a_table_that_can_not_be_read_is_a_problem(live: Live) -> None:
    with at_source(
        live,
        f"REVOKE SELECT ON opencps_paymentfile FROM {READER}",
        f"GRANT SELECT ON opencps_paymentfile TO {READER}",
    ):
        report = look(live)
    (line,) = lines(report, "read")
    assert line.level is Level.PROBLEM
    assert "opencps_paymentfile" in line.text


@pytest.mark.parametrize(
    ("off", "level"),
    [
        (timedelta(seconds=2), Level.OK),
        (timedelta(minutes=1), Level.WARNING),
        (timedelta(hours=1), Level.PROBLEM),
        (timedelta(hours=-1), Level.PROBLEM),
    ],
)
def test_a_clock_that_is_off_is_told(live: Live, off: timedelta, level: Level) -> None:
    report = look(live, now=lambda: datetime.now(UTC) - off)
    (line,) = lines(report, "clock")
    assert line.level is level
    assert abs(line.data["ahead_s"] - off.total_seconds()) <= 10
    assert "ồng hồ" in line.text
    if level is Level.PROBLEM:
        assert "1 giờ" in line.text
        assert "múi giờ" in str(line.next_step)


@contextmanager
def contract_says(live: Live, old: str, new: str) -> Iterator[None]:
    path = live.settings.sources / f"{SOURCE}.yaml"
    before = path.read_text()
    assert old in before
    path.write_text(before.replace(old, new))
    try:
        yield
    finally:
        path.write_text(before)


def test_a_wrong_time_zone_shows_in_offices_that_work_at_night(live: Live) -> None:
    with contract_says(live, "time_zone: Asia/Ho_Chi_Minh", "time_zone: UTC"):
        report = look(live)
    (line,) = lines(report, "zone")
    assert line.level is Level.PROBLEM
    assert line.data["shift_hours"] == -7
    assert "Múi giờ" in line.text


def test_changes_from_the_future_are_a_wrong_time_zone(live: Live) -> None:
    newest = 'WHERE "dossierActionId" = (SELECT max("dossierActionId") FROM opencps_dossieraction)'
    ((modified,),) = [
        tuple(row) for row in _source_rows(live, f'SELECT "modifiedDate" FROM opencps_dossieraction {newest}')
    ]
    with at_source(
        live,
        "UPDATE opencps_dossieraction SET \"modifiedDate\" = (now() AT TIME ZONE 'Asia/Ho_Chi_Minh') + interval '7h' "
        + newest,
        f"UPDATE opencps_dossieraction SET \"modifiedDate\" = '{modified}' {newest}",
    ):
        report = look(live)
    (line,) = lines(report, "zone")
    assert line.level is Level.PROBLEM
    assert "7 giờ" in line.text


def _source_rows(live: Live, query: str) -> list[Any]:
    from sqlalchemy import create_engine, text

    engine = create_engine(live.sources["H17"])
    with engine.connect() as connection:
        rows = list(connection.execute(text(query)))
    engine.dispose()
    return rows


def test_a_word_without_a_code_is_told_with_its_rows(live: Live) -> None:
    with contract_says(live, "    300: 4 ", "    301: 4 "):
        report = look(live, sample=30, resolve=without_a_warehouse(live))
    (line,) = lines(report, "codes")
    assert (line.level, line.data["kind"]) == (Level.WARNING, "step")
    assert line.data["words"]["300"] > 10


def test_what_is_in_the_bin_or_a_group_is_counted(live: Live) -> None:
    newest = 'WHERE "dossierId" IN (SELECT max("dossierId") - {} FROM opencps_dossier)'
    with at_source(
        live,
        f"UPDATE opencps_dossier SET originality = -3 {newest.format(0)}",
        "UPDATE opencps_dossier SET originality = 3",
    ):
        live.at_source("H17", f"UPDATE opencps_dossier SET originality = 9 {newest.format(1)}")
        report = look(live, sample=30, resolve=without_a_warehouse(live))
    ((removed,), (group,)) = lines(report, "removed"), lines(report, "left_out")
    assert (removed.level, removed.data["names"]) == (Level.WARNING, {"-3": 1})
    assert "1 hồ sơ của mẫu đã bị xóa ở nguồn" in removed.text
    assert (group.level, group.data["names"]) == (Level.WARNING, {"9": 1})
    assert report.level_of("codes") is Level.OK
    assert report.ok


def test_outputs_of_groups_are_told_with_what_the_contract_makes_of_them(live: Live) -> None:
    assert lines(look(live), "remark") == []
    with at_source(
        live,
        'UPDATE opencps_dossierfile SET "dossierPartType" = 7 WHERE "dossierPartType" = 2',
        'UPDATE opencps_dossierfile SET "dossierPartType" = 2 WHERE "dossierPartType" = 7',
    ):
        component = look(live)
        with contract_says(live, "7: component", "7: result"):
            result = look(live)
    ((one,), (other,)) = lines(component, "remark"), lines(result, "remark")
    assert "hợp đồng coi là thành phần hồ sơ" in one.text
    assert "hợp đồng coi là kết quả" in other.text


def test_a_field_of_the_index_that_is_never_filled_is_a_warning(live: Live) -> None:
    assert lines(look(live, sample=60, resolve=without_a_warehouse(live)), "never_filled") == []
    with contract_says(live, "        DSKetNoiCSDL: database_codes\n", ""):
        report = look(live, sample=60, resolve=without_a_warehouse(live))
    (line,) = lines(report, "never_filled")
    assert (line.level, line.data["fields"]) == (Level.WARNING, ["database_codes"])
    assert "`extensions` của opencps_h17.yaml" in str(line.next_step)
    assert report.ok


def test_a_first_contract_of_an_igate_passes_its_check_and_lacks_only_codes(live: Live) -> None:
    with IgateServer(World.generate(7, 60, "2026-10", provinces=("H21",)), "H21") as igate:
        connection = igate_connection("src_igate_new", igate)
        rt = Wiring(live.settings, {connection.conn_id: connection}, live.clock).rt
        path = add_source(replace(rt, now=utc_now), "igate_new", "igate", "H21").path
        try:
            report = check(replace(rt, now=utc_now), "igate_new", 60)
        finally:
            path.unlink()
    assert report.ok, [line.text for line in report.lines if line.level is Level.PROBLEM]
    assert report.level_of("unmapped_columns") is None
    (line,) = lines(report, "never_filled")
    assert line.data["fields"] == ["channel"]
    assert "điền đủ codes.channel" in str(line.next_step)


def test_a_first_contract_of_an_igate_that_shows_no_dates_passes_its_check_too(live: Live) -> None:
    world = World.generate(7, 60, "2026-10", provinces=("H21",))
    with IgateServer(world, "H21", public_client=True) as igate:
        connection = igate_connection("src_igate_new", igate)
        rt = Wiring(live.settings, {connection.conn_id: connection}, live.clock).rt
        path = add_source(replace(rt, now=utc_now), "igate_new", "igate", "H21").path
        try:
            assert "http: {changes: newest_task}" in path.read_text()
            report = check(replace(rt, now=utc_now), "igate_new", 60)
        finally:
            path.unlink()
    assert report.ok, [line.text for line in report.lines if line.level is Level.PROBLEM]
    for topic in ("changes", "unseen", "files", "sample"):
        assert len(lines(report, topic)) == 1, topic
    assert max(len(line.text) for line in report.lines if line.topic != "codes") < 300


def test_retired_procedures_and_unknown_agencies_are_named(live: Live) -> None:
    def change(*statements: str) -> None:
        from sqlalchemy import text

        with live.engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))

    ((retired, agency),) = live.rows(
        "SELECT procedure_code, agency_code FROM dossier.source_record WHERE blocked_reasons = '{}' "
        "GROUP BY 1, 2 ORDER BY count(*) DESC, 1, 2 LIMIT 1"
    )
    ((parent,),) = live.rows("SELECT tenant FROM registry.agency WHERE agency_code = :code", code=agency)
    change(
        f"UPDATE registry.procedure SET active = false WHERE procedure_code = '{retired}'",
        f"UPDATE registry.agency SET tenant = 'H99' WHERE agency_code = '{agency}'",
    )
    try:
        report = look(live, sample=400)
    finally:
        change(
            f"UPDATE registry.procedure SET active = true WHERE procedure_code = '{retired}'",
            f"UPDATE registry.agency SET tenant = '{parent}' WHERE agency_code = '{agency}'",
        )
    named = {line.data["rule_id"]: line.data["codes"] for line in lines(report, "catalogue")}
    assert retired in named["procedure_not_retired"]
    assert list(named["agency_known"]) == [agency]
