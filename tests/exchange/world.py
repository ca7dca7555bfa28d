"""A province's believed dossiers, written straight into the warehouse, and the simulated portal beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import NAMESPACE_OID, uuid5

from sqlalchemy import Engine, text

from lienthong.connections import Connection
from lienthong.exchange.client import PortalClient
from lienthong.exchange.decisions import Action, Choice, Decided, decide
from lienthong.exchange.derive import DeriveSummary, derive
from lienthong.exchange.drain import PushSummary, drain
from lienthong.exchange.senders import open_sender
from lienthong.exchange.settings import PortalSettings, load_portal_settings
from lienthong.model.codes import SourceMode
from lienthong.model.periods import BUSINESS_ZONE
from lienthong.warehouse.statements import statement
from simulator.portal import PortalServer

TENANT = "H17"
SOURCE = "opencps_h17"
NOW = datetime(2026, 10, 31, 17, tzinfo=UTC)
NAME = "Nguyễn Thị Bích Ngân"
PHONE = "0905123456"
ID_NUMBER = "048190001234"
EMAIL = "bich.ngan@thu.example"
ABSTRACT = "Xin cấp lại giấy khai sinh cho con"
OFFICER = "Trần Văn Khoa"
NOTE = "Đã kiểm tra giấy tờ của bà Ngân"
FILE_NAME = "don-xin-cap-lai-bich-ngan.pdf"
FILE_URL = "https://motcua.danang.example/documents/4711"
PERSONAL = (NAME, PHONE, ID_NUMBER, EMAIL, ABSTRACT, OFFICER, NOTE, FILE_NAME, FILE_URL)


def settings_with(**changes: Any) -> PortalSettings:
    """The shipped settings with some changed; never a real wait."""
    return PortalSettings.model_validate(
        load_portal_settings().model_dump()
        | {"backoff_s": 0, "limits": {"integration": {"rate": 1e6, "burst": 1e6}, "share": {"rate": 1e6, "burst": 1e6}}}
        | changes
    )


def connection_to(portal: PortalServer, tenant: str = TENANT, **changes: Any) -> Connection:
    """The tenant's account at the simulated portal."""
    parts, account = urlsplit(portal.url), portal.account(tenant)
    values: dict[str, Any] = {
        "host": parts.hostname,
        "port": parts.port,
        "login": account.username,
        "password": account.password,
        "schema": "http",
        "extra": {
            "auth_endpoint": "/mapi/login",
            "integration_endpoint": "/mapi/g",
            "share_endpoint": "/mapi/g",
            "dstcode": "VN:GOV:000.00.00.G22:vpcpdvcprovider",
        },
    }
    return Connection(f"portal_{tenant.lower()}", "http", **(values | changes))


def code(number: int) -> str:
    return f"H17.05-261012-{number:04d}"


@dataclass
class Province:
    """Writes believed dossiers of one tenant and moves them to the portal. `clock` moves on by hand."""

    engine: Engine
    portal: PortalServer
    settings: PortalSettings = field(default_factory=settings_with)
    modes: dict[str, SourceMode] = field(default_factory=lambda: {SOURCE: SourceMode.OWN})
    clock: datetime = NOW
    runs: int = 0
    covers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        with self.engine.begin() as connection:
            connection.execute(text("SELECT ops.ensure_tenant(:t)"), {"t": TENANT})
            open_sender(connection, TENANT, SOURCE, "sent_before", self.clock)
        self.list_procedure("Đăng ký khai sinh", 1)

    def open_load(self, connection: Any) -> int:
        """A load that is not merged yet."""
        return int(
            connection.execute(
                text(
                    "INSERT INTO ops.load (tenant, source_id, run_key, mode, contract_hash, opened_at)"
                    " VALUES (:t, :s, gen_random_uuid()::text, 'incremental', '', :now) RETURNING load_id"
                ),
                {"t": TENANT, "s": SOURCE, "now": NOW},
            ).scalar_one()
        )

    def merged_load(self, connection: Any, load_id: int | None = None) -> int:
        """Merge a load: `load_id`, or a new one."""
        load_id = self.open_load(connection) if load_id is None else load_id
        connection.execute(text("UPDATE ops.load SET state = 'gated' WHERE load_id = :l"), {"l": load_id})
        connection.execute(statement("ops/finish_merge"), {"load_id": load_id, "tenant": TENANT, "now": NOW})
        return load_id

    def edit(self, change: str) -> None:
        """Change what is believed by SQL, as a load that touches every dossier."""
        with self.engine.begin() as connection:
            load_id = self.merged_load(connection)
            connection.exec_driver_sql(change)
            connection.exec_driver_sql("UPDATE dossier.dossier SET version = version + 1, load_id = %s", (load_id,))

    def list_procedure(self, name: str, revision: int, *, active: bool = True, vanished: bool = False) -> None:
        """The catalogue's entry for the procedure of every dossier here."""
        with self.engine.begin() as connection:
            connection.execute(
                text(
                    "INSERT INTO registry.procedure (procedure_code, name, field_code, field_name, active,"
                    " vanished, returns_paper, has_fee, detail_hash, revision)"
                    " VALUES ('1.001193', :name, 'G15-HT02', 'Hộ tịch', :active, :vanished, true, false, '', :revision)"
                    " ON CONFLICT (procedure_code) DO UPDATE SET name = excluded.name, revision = excluded.revision,"
                    " active = excluded.active, vanished = excluded.vanished"
                ),
                {"name": name, "revision": revision, "active": active, "vanished": vanished},
            )

    def believe(
        self, number: int, *, steps: int = 0, source_id: str = SOURCE, load_id: int | None = None, **values: Any
    ) -> str:
        """A new dossier, or a new version of it, by a merged load of its own or by `load_id`; returns its id."""
        key = str(number)
        dossier_id = str(uuid5(NAMESPACE_OID, f"{TENANT}{SOURCE}{key}"))
        record: dict[str, Any] = {
            "dossier_code": code(number), "procedure_code": "1.001193", "procedure_name": "Đăng ký khai sinh",
            "agency_code": "H17.05", "agency_name": "Sở Tài chính", "status": 4, "channel": 2, "subject_type": 1,
            "return_method": 0, "submitted_at": NOW - timedelta(days=20), "received_at": NOW - timedelta(days=19),
            "due_at": NOW - timedelta(days=1), "has_digitised_component": True, "vneid_verified": True,
            "online_payment": 0, "database_codes": ["7"], "blocked_reasons": [],
        }  # fmt: skip
        record |= values
        names = ", ".join(record)
        binds = ", ".join(f":{name}" for name in record)
        with self.engine.begin() as connection:
            version = connection.execute(
                text("SELECT version + 1 FROM dossier.dossier WHERE tenant = :t AND dossier_id = :d"),
                {"t": TENANT, "d": dossier_id},
            ).scalar_one_or_none()
            keys = {"t": TENANT, "s": source_id, "k": key, "d": dossier_id, "v": version or 1}
            keys["load"] = self.merged_load(connection) if load_id is None else load_id
            for table in ("source_record", "person", "step", "document", "fee"):
                connection.execute(
                    text(f"DELETE FROM dossier.{table} WHERE tenant = :t AND source_id = :s AND source_key = :k"), keys
                )
            connection.execute(
                text(
                    "INSERT INTO dossier.source_record (tenant, source_id, source_key, dossier_id, version,"
                    f" record_hash, recipe, observed_at, load_id, {names})"
                    f" VALUES (:t, :s, :k, :d, :v, '', 1, :now, :load, {binds})"
                ),
                keys | {"now": NOW} | record,
            )
            connection.execute(
                text(
                    "INSERT INTO dossier.person (tenant, source_id, source_key, version, applicant_name,"
                    " applicant_id_number, applicant_phone, applicant_email, abstract)"
                    " VALUES (:t, :s, :k, :v, :name, :id, :phone, :email, :abstract)"
                ),
                keys | {"name": NAME, "id": ID_NUMBER, "phone": PHONE, "email": EMAIL, "abstract": ABSTRACT},
            )
            connection.execute(
                text(
                    "INSERT INTO dossier.document (tenant, source_id, source_key, child_key, version, role,"
                    " component_code, has_file, removed, digitised, reuse, from_citizen_store, name, url)"
                    " VALUES (:t, :s, :k, '1', :v, 'component', 'TP01', true, false, true, 0, false, :name, :url)"
                ),
                keys | {"name": FILE_NAME, "url": FILE_URL},
            )
            for step in range(steps):
                self._step(connection, keys, step)
            connection.execute(
                text(
                    "INSERT INTO dossier.dossier (tenant, dossier_id, dossier_code, source_id, source_key, version,"
                    " load_id, opened_load_id) VALUES (:t, :d, :code, :s, :k, :v, :load, :load)"
                    " ON CONFLICT (tenant, dossier_id) DO UPDATE SET dossier_code = excluded.dossier_code,"
                    " source_id = excluded.source_id, version = excluded.version, load_id = excluded.load_id"
                ),
                keys | {"code": record["dossier_code"]},
            )
        return dossier_id

    @staticmethod
    def _step(connection: Any, keys: dict[str, Any], step: int) -> None:
        connection.execute(
            text(
                "INSERT INTO dossier.step (tenant, source_id, source_key, child_key, version, step_no, status,"
                " occurred_at, actor_name, content) VALUES (:t, :s, :k, :c, :v, :n, :status, :at, :actor, :note)"
            ),
            keys
            | {"c": str(step), "n": step, "status": min(step + 1, 4), "at": NOW - timedelta(days=19, minutes=-step)}
            | {"actor": OFFICER, "note": f"{NOTE} lần {step}"},
        )

    def derive(self) -> DeriveSummary:
        return derive(self.engine, TENANT, self.modes, self.covers)

    @contextmanager
    def client(self, make: Callable[..., PortalClient] = PortalClient) -> Iterator[PortalClient]:
        with make(connection_to(self.portal), self.settings, tenant=TENANT) as client:
            yield client

    def drain(self, make: Callable[..., PortalClient] = PortalClient) -> PushSummary:
        self.runs += 1
        with self.client(make) as client:
            return drain(self.engine, client, TENANT, self.settings, self.clock, f"run-{self.runs}")

    def push(self) -> PushSummary:
        self.derive()
        return self.drain()

    def settle_by_truth(self) -> None:
        """What people do about doubtful steps: look at the portal and say of each whether it is there."""
        with self.engine.begin() as connection:
            rows = connection.execute(
                text(
                    "SELECT x.dossier_code, s.occurred_at FROM exchange.step_delivery AS s"
                    " JOIN exchange.delivery AS x USING (tenant, dossier_id)"
                    " WHERE s.tenant = :t AND s.state = 'unsettled'"
                ),
                {"t": TENANT},
            ).all()
        there = {
            (str(step.body["MaHoSo"]), str(step.body["ThoiDiemXuLy"]))
            for row in rows
            for step in self.portal.store.steps(row.dossier_code)
        }
        for action in (Action.ARRIVED, Action.RESEND):
            own = [
                row
                for row in rows
                if ((row.dossier_code, f"{row.occurred_at.astimezone(BUSINESS_ZONE):%Y%m%d%H%M%S}") in there)
                == (action is Action.ARRIVED)
            ]
            if own:
                choice = Choice(tuple(row.dossier_code for row in own), tuple(row.occurred_at for row in own))
                self.decide(action, choice)

    def decide(self, action: Action, choice: Choice, *, preview: bool = False) -> Decided:
        return decide(
            self.engine, TENANT, action, choice, self.settings,
            reason="thử", decided_by="tester", now=self.clock, preview=preview,
        )  # fmt: skip

    def later(self, seconds: float = 7200) -> None:
        """Let time go by: leases run out, unsettled dossiers may be asked about."""
        self.clock += timedelta(seconds=seconds)

    def delivery(self, dossier_id: str) -> Any:
        with self.engine.begin() as connection:
            return connection.execute(
                text("SELECT * FROM exchange.delivery WHERE tenant = :t AND dossier_id = :d"),
                {"t": TENANT, "d": dossier_id},
            ).one()

    def state(self, dossier_id: str) -> str:
        return str(self.delivery(dossier_id).state)

    def step_states(self, dossier_id: str) -> list[str]:
        with self.engine.begin() as connection:
            rows = connection.execute(
                text(
                    "SELECT state FROM exchange.step_delivery WHERE tenant = :t AND dossier_id = :d"
                    " ORDER BY occurred_at"
                ),
                {"t": TENANT, "d": dossier_id},
            )
            return [row.state for row in rows]

    def calls(self, service: str) -> list[Any]:
        return [call for call in self.portal.portal.calls if call.service == service]

    def deliveries(self) -> list[tuple[Any, ...]]:
        """Every delivery row as text, to compare two moments."""
        with self.engine.begin() as connection:
            return [
                tuple(row)
                for row in connection.execute(
                    text("SELECT x::text, x.xmin::text FROM exchange.delivery AS x WHERE x.tenant = :t ORDER BY 1"),
                    {"t": TENANT},
                )
            ]
