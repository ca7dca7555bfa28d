"""Each role may do what its step does, and nothing else; the roles are real logins of a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.pool import NullPool

from devstack.logins import login_name, make_logins, role_urls
from devstack.postgres import Postgres
from lienthong.connections import Role
from lienthong.model.errors import DefectError
from lienthong.model.kinds import KINDS
from lienthong.warehouse.bootstrap.migrate import upgrade
from lienthong.warehouse.bootstrap.roles import GROUPS, missing_roles
from lienthong.warehouse.engine import engine_for
from tests.logins import PASSWORDS

STEPS = (Role.LOADER, Role.PUSHER, Role.SCORER, Role.READER)
WRITING = ("INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
#: Who may change what, by schema; of the registry only the tables that say so.
WRITES = {
    Role.LOADER: {"ops", "registry", "landing", "staging", "dossier", "quality", "freshness", "petition", "rating"},
    Role.PUSHER: {"registry", "exchange"},
    Role.SCORER: {"indices"},
    Role.READER: set(),
}


@dataclass
class Logins:
    """The warehouse through each login."""

    admin: Engine
    urls: dict[str, str]
    engines: list[Engine] = field(default_factory=list)

    def engine(self, role: Role) -> Engine:
        engine = create_engine(self.urls[role.conn_id], poolclass=NullPool)
        self.engines.append(engine)
        return engine

    def may(self, role: Role, statement: str) -> bool:
        """Whether the login may run the statement; nothing of it stays."""
        with self.engine(role).connect() as connection:
            try:
                connection.execute(text(statement))
            except ProgrammingError as error:
                if getattr(error.orig, "pgcode", None) != "42501":
                    raise
                return False
            finally:
                connection.rollback()
        return True

    def rows(self, query: str, **parameters: object) -> list[tuple[object, ...]]:
        with self.admin.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query), parameters)]


@pytest.fixture(scope="module")
def logins(postgres: Postgres, warehouse_template: str) -> Iterator[Logins]:
    """A migrated warehouse in which H17 has its partitions, opened by a loader without a right to make tables."""
    name = "warehouse_of_roles"
    postgres.drop_database(name)
    postgres.create_database(name, warehouse_template)
    admin = create_engine(postgres.url(name))
    upgrade(admin)  # a copy has the rights on tables, not those on the database
    made = Logins(admin, role_urls(postgres.url(name), PASSWORDS))
    with made.engine(Role.LOADER).begin() as connection:
        connection.execute(text("SELECT ops.ensure_tenant('H17')"))
    upgrade(admin)  # rights are given again while partitions are there
    yield made
    for engine in (admin, *made.engines):
        engine.dispose()
    postgres.drop_database(name)


@pytest.mark.parametrize("role", STEPS)
def test_a_wrong_password_opens_nothing(logins: Logins, role: Role) -> None:
    wrong = create_engine(logins.admin.url.set(username=login_name(role), password="guessed"))
    with pytest.raises(Exception, match="password authentication failed"):
        wrong.connect()


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        # A load knows nothing of what the portal answered, and of no score.
        (Role.LOADER, "UPDATE exchange.delivery SET acked_at = now()"),
        (Role.LOADER, "INSERT INTO exchange.delivery (tenant, dossier_id) SELECT 'H17', gen_random_uuid()"),
        (Role.LOADER, "SELECT acked_at, rejected_hash, last_message FROM exchange.delivery"),
        (Role.LOADER, "SELECT * FROM exchange.call"),
        (Role.LOADER, "SELECT * FROM indices.unit_score"),
        (Role.LOADER, "UPDATE registry.procedure SET active = FALSE"),
        (Role.LOADER, "UPDATE dossier.step_history SET version = 1"),
        (Role.LOADER, "DELETE FROM dossier.person_history"),
        (Role.LOADER, "DELETE FROM ops.load"),
        (Role.LOADER, "INSERT INTO ops.tenant (tenant) VALUES ('H99')"),
        (Role.LOADER, "SELECT ops.grant_rights()"),
        (Role.LOADER, "SELECT exchange.analyze_deliveries('H17')"),
        # A push merges nothing: what is believed it can only read.
        (Role.PUSHER, "UPDATE dossier.dossier SET version = version + 1"),
        (Role.PUSHER, "DELETE FROM dossier.source_record"),
        (
            Role.PUSHER,
            "INSERT INTO dossier.person (tenant, source_id, source_key, version) VALUES ('H17', 'a', 'b', 1)",
        ),
        (Role.PUSHER, "UPDATE ops.load SET state = 'merged'"),
        (Role.PUSHER, "SELECT * FROM staging.dossier"),
        (Role.PUSHER, "INSERT INTO indices.fact_state (tenant, recipe) VALUES ('H17', 1)"),
        (Role.PUSHER, "DELETE FROM exchange.call"),
        (Role.PUSHER, "UPDATE exchange.decision SET reason = ''"),
        (Role.PUSHER, "SELECT ops.empty_staging('H17', 1)"),
        # A score sees no person, and changes nothing but facts and scores; published scores stay.
        (Role.SCORER, "SELECT * FROM dossier.person"),
        (Role.SCORER, "SELECT applicant_name FROM dossier.person_history"),
        (Role.SCORER, "SELECT actor_name FROM dossier.step"),
        (Role.SCORER, "SELECT content FROM dossier.step_history"),
        (Role.SCORER, "SELECT url FROM dossier.document"),
        (Role.SCORER, "SELECT * FROM staging.dossier"),
        (Role.SCORER, "UPDATE dossier.dossier SET version = 1"),
        (Role.SCORER, "UPDATE exchange.delivery SET acked_at = now()"),
        (Role.SCORER, "SELECT last_message FROM exchange.delivery"),
        (Role.SCORER, "UPDATE indices.component_score SET score = 100"),
        (Role.SCORER, "DELETE FROM indices.score_run"),
        (Role.SCORER, "UPDATE ops.tenant SET merges = 0"),
        # Pages and reports read, and no person.
        (Role.READER, "SELECT * FROM dossier.person"),
        (Role.READER, "SELECT name FROM dossier.document"),
        (Role.READER, "SELECT content FROM dossier.step"),
        (Role.READER, "SELECT * FROM staging.step"),
        (Role.READER, "SELECT * FROM landing.fingerprint"),
        (Role.READER, "UPDATE freshness.finding SET closed_at = now()"),
        (Role.READER, "SELECT ops.ensure_tenant('H18')"),
        (Role.READER, "SELECT ops.lock_tenant('H17')"),
    ],
)
def test_a_role_is_denied_what_is_not_its_step(logins: Logins, role: Role, statement: str) -> None:
    assert not logins.may(role, statement)


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        (
            Role.LOADER,
            "INSERT INTO dossier.person (tenant, source_id, source_key, version) VALUES ('H17', 'a', 'b', 1)",
        ),
        (Role.LOADER, "SELECT state, sent_at FROM exchange.delivery"),
        (Role.LOADER, "SELECT ops.empty_staging('H17', 1), ops.analyze_staging('H17', ARRAY['dossier', 'digest'])"),
        (Role.LOADER, "SELECT ops.analyze_believed('H17', 'dossier'), quality.analyze_violations('H17')"),
        (Role.LOADER, "CREATE TEMPORARY TABLE known (a integer)"),
        (Role.PUSHER, "SELECT applicant_name FROM dossier.person"),
        (Role.PUSHER, "SELECT ops.ensure_tenant('H18'), exchange.analyze_deliveries('H18')"),
        (Role.SCORER, "SELECT occurred_at FROM dossier.step"),
        (Role.SCORER, "SELECT has_link FROM indices.paper"),
        (Role.SCORER, "SELECT ops.ensure_tenant('H18'), ops.lock_tenant('H18'), indices.analyze_facts('H18')"),
        (Role.READER, "SELECT status_raw FROM dossier.source_record"),
        (Role.READER, "SELECT role, has_file FROM dossier.document"),
        (Role.READER, "SELECT * FROM quality.violation"),
        (Role.READER, "SELECT * FROM indices.unit_score"),
        (Role.MIGRATOR, "CREATE TABLE ops.anything (a integer)"),
        (Role.MIGRATOR, "CREATE SCHEMA anything"),
        (Role.MIGRATOR, "ALTER TABLE dossier.dossier ADD COLUMN anything text"),
    ],
)
def test_a_role_may_do_what_is_its_step(logins: Logins, role: Role, statement: str) -> None:
    assert logins.may(role, statement)


@pytest.mark.parametrize("role", STEPS)
def test_only_the_migrator_makes_changes_or_empties_tables(logins: Logins, role: Role) -> None:
    for statement in (
        "CREATE TABLE public.anything (a integer)",
        "CREATE TABLE staging.anything (a integer)",
        "CREATE TABLE dossier.dossier__h99 PARTITION OF dossier.dossier FOR VALUES IN ('H99')",
        "CREATE SCHEMA anything",
        "ALTER TABLE ops.load ADD COLUMN anything text",
        "DROP TABLE ops.load",
        "TRUNCATE staging.dossier",
        "CREATE FUNCTION ops.anything() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    ):
        assert not logins.may(role, statement), statement


def test_the_catalogue_of_rights_gives_writing_to_the_step_that_writes_and_to_no_other(logins: Logins) -> None:
    """Whatever tables later migrations bring."""
    relations = logins.rows(
        "SELECT n.nspname, c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition "
        "AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'"
    )
    for role in STEPS:
        written = {
            str(schema)
            for schema, name in relations
            for (may,) in logins.rows(
                "SELECT bool_or(has_table_privilege(:login, :name, p)) FROM unnest(CAST(:kinds AS text[])) AS k (p)",
                login=login_name(role), name=name, kinds=list(WRITING),
            )
            if may
        }  # fmt: skip
        assert written - WRITES[role] == set(), role


@pytest.mark.parametrize("role", STEPS)
def test_partitions_are_reached_through_their_table_only(logins: Logins, role: Role) -> None:
    rights = logins.rows(
        "SELECT c.oid::regclass::text FROM pg_class c WHERE c.relispartition AND c.relkind = 'r' "
        "AND (has_table_privilege(:login, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE') "
        "OR has_any_column_privilege(:login, c.oid, 'SELECT, INSERT, UPDATE'))",
        login=login_name(role),
    )
    assert rights == []


@pytest.mark.parametrize("role", [Role.SCORER, Role.READER])
def test_no_personal_field_of_any_kind_is_open_to_those_who_see_no_person(logins: Logins, role: Role) -> None:
    """By the specifications of the kinds: a field that they call personal is closed wherever a table has it."""
    looked = 0
    for kind in KINDS.values():
        personal = {name for entity in kind.entities for name in entity.personal_names}
        columns = logins.rows(
            "SELECT c.relname, a.attname, has_column_privilege(:login, c.oid, a.attnum, 'SELECT') FROM pg_attribute a "
            "JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = :kind AND c.relkind IN ('r', 'p', 'v') AND a.attnum > 0 AND NOT a.attisdropped",
            login=login_name(role), kind=kind.name,
        )  # fmt: skip
        by_entity = {entity.entity: set(entity.personal_names) for entity in kind.entities}
        for table, column, may in columns:
            base = str(table).removesuffix("_history")
            closed = by_entity.get(base, personal if base == "person" else set())
            if column in closed:
                looked += 1
                assert not may, f"{kind.name}.{table}.{column}"
    assert looked > 10


def test_functions_with_the_owners_rights_have_a_pinned_path_and_are_nobodys_by_default(logins: Logins) -> None:
    found = logins.rows(
        "SELECT p.oid::regprocedure::text, p.proconfig, has_function_privilege('public', p.oid, 'EXECUTE') "
        "FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.prosecdef "
        "AND n.nspname NOT IN ('pg_catalog', 'information_schema')"
    )
    assert len(found) >= 8
    for name, settings, everybody in found:
        assert "search_path=pg_catalog, pg_temp" in (settings or []), name  # type: ignore[operator]
        assert not everybody, name


def test_everything_belongs_to_the_group_that_migrates(logins: Logins) -> None:
    owners = logins.rows(
        "SELECT DISTINCT pg_get_userbyid(c.relowner) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.relkind IN ('r', 'p', 'v', 'i', 'I', 'S') AND n.nspname <> 'information_schema' "
        "AND n.nspname NOT LIKE 'pg\\_%'"
    )
    assert owners == [(GROUPS[Role.MIGRATOR],)]


def test_a_denied_statement_says_that_the_role_lacks_a_right_and_what_to_do(logins: Logins) -> None:
    engine = engine_for(logins.urls[Role.READER.conn_id])
    with pytest.raises(DefectError, match="SQLSTATE 42501") as caught, engine.connect() as connection:
        connection.execute(text("SELECT applicant_name FROM dossier.person"))
    engine.dispose()
    assert "lienthong migrate" in caught.value.next_step


def test_a_right_that_was_given_by_hand_is_taken_back_by_the_next_migration(logins: Logins) -> None:
    statement = "SELECT applicant_name FROM dossier.person"
    with logins.admin.begin() as connection:
        connection.execute(text("GRANT SELECT ON dossier.person TO lienthong_reader"))
    assert logins.may(Role.READER, statement)
    upgrade(logins.admin)
    assert not logins.may(Role.READER, statement)


def test_a_new_kind_is_granted_by_one_statement(logins: Logins) -> None:
    with logins.engine(Role.MIGRATOR).begin() as connection:
        for statement in (
            "SET ROLE lienthong_migrator",
            "CREATE SCHEMA visit",
            "CREATE TABLE visit.visit (tenant text, day date, visitor text, PRIMARY KEY (tenant, day)) "
            "PARTITION BY LIST (tenant)",
            "COMMENT ON COLUMN visit.visit.visitor IS 'personal'",
            "CREATE TABLE visit.visit_history (LIKE visit.visit)",
            "SELECT ops.grant_kind('visit')",
            "SELECT ops.ensure_tenant('H17')",
        ):
            connection.execute(text(statement))
    assert logins.may(Role.LOADER, "INSERT INTO visit.visit (tenant, day) VALUES ('H17', '2026-11-01')")
    assert logins.may(Role.READER, "SELECT day FROM visit.visit")
    for table in ("visit", "visit_history"):
        assert not logins.may(Role.READER, f"SELECT visitor FROM visit.{table}")
    assert not logins.may(Role.LOADER, "DELETE FROM visit.visit_history")
    assert not logins.may(Role.PUSHER, "SELECT day FROM visit.visit")
    with logins.admin.begin() as connection:
        connection.execute(text("DROP SCHEMA visit CASCADE; DELETE FROM ops.kind WHERE kind = 'visit'"))


def test_the_migrators_login_makes_a_warehouse_from_nothing(
    postgres: Postgres, new_database: Callable[..., str], warehouse_template: str
) -> None:
    url = new_database("bare")
    with postgres.administrator() as cursor:
        cursor.execute(f"ALTER DATABASE {url.rpartition('/')[2]} OWNER TO {login_name(Role.MIGRATOR)}")
    engine = create_engine(role_urls(url, PASSWORDS)[Role.MIGRATOR.conn_id])
    upgrade(engine)
    upgrade(engine)
    with engine.connect() as connection:
        owner = connection.execute(text("SELECT tableowner FROM pg_tables WHERE tablename = 'load'")).scalar_one()
        assert missing_roles(connection) == []
    engine.dispose()
    assert owner == GROUPS[Role.MIGRATOR]


def test_a_warehouse_of_before_changes_hands_and_keeps_its_rows(
    new_database: Callable[..., str], warehouse_template: str
) -> None:
    """As the last release left it: everything belongs to the login that migrated, nobody else has a right."""
    engine = create_engine(new_database("older"))
    upgrade(engine, "0014")
    with engine.begin() as connection:
        for (relation,) in connection.execute(
            text(
                "SELECT format('%s %s', CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, c.oid::regclass) "
                "FROM pg_class c WHERE c.relkind IN ('r', 'p', 'v') "
                "AND pg_get_userbyid(c.relowner) = 'lienthong_migrator'"
            )
        ).all():
            connection.execute(text(f"ALTER {relation} OWNER TO lienthong"))
        connection.execute(text("SELECT ops.ensure_tenant('H17')"))
        connection.execute(
            text("INSERT INTO dossier.person (tenant, source_id, source_key, version) VALUES ('H17', 's', 'k', 1)")
        )
        connection.execute(
            text(
                "INSERT INTO ops.load (tenant, source_id, run_key, mode, contract_hash, opened_at) "
                "VALUES ('H17', 's', 'r', 'full', '', now())"
            )
        )
        connection.execute(text("INSERT INTO ops.sighting (load_id, source_key, seen) VALUES (1, 'k', FALSE)"))
    upgrade(engine)
    loader = create_engine(role_urls(engine.url.render_as_string(hide_password=False), PASSWORDS)[Role.LOADER.conn_id])
    with loader.connect() as connection:
        assert connection.execute(text("SELECT source_key FROM dossier.person")).all() == [("k",)]
        assert connection.execute(text("SELECT tenant, load_id FROM ops.sighting")).all() == [("H17", 1)]
        owners = connection.execute(
            text("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname IN ('dossier', 'ops', 'staging')")
        ).all()
    assert owners == [(GROUPS[Role.MIGRATOR],)]
    loader.dispose()
    engine.dispose()


def test_without_roles_a_plain_owner_migrates_and_does_everything(
    postgres: Postgres, new_database: Callable[..., str]
) -> None:
    """A PostgreSQL where we may make no role and nobody made them for us: one login, as before."""
    url = new_database("plain")
    with postgres.administrator() as cursor:
        cursor.execute("CREATE ROLE plain LOGIN")
        cursor.execute(f"ALTER DATABASE {url.rpartition('/')[2]} OWNER TO plain")
    engine = create_engine(url.replace("//lienthong@", "//plain@"))
    try:
        upgrade(engine)
        with engine.begin() as connection:
            connection.execute(text("SELECT ops.ensure_tenant('H17'), ops.analyze_believed('H17', 'dossier')"))
            connection.execute(
                text("INSERT INTO dossier.person (tenant, source_id, source_key, version) VALUES ('H17', 's', 'k', 1)")
            )
            owner = connection.execute(text("SELECT tableowner FROM pg_tables WHERE tablename = 'load'")).scalar_one()
        assert owner == "plain"
    finally:
        engine.dispose()
        postgres.drop_database(url.rpartition("/")[2])
        with postgres.administrator() as cursor:
            cursor.execute("DROP ROLE plain")


def test_logins_can_be_made_again(postgres: Postgres, logins: Logins) -> None:
    make_logins(postgres, PASSWORDS)
    assert logins.may(Role.READER, "SELECT 1")
