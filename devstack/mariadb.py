"""A MariaDB server of our own for tests, where the machine has the programs.

Debian: `mariadb-server-core` and `mariadb-client-core`; `mariadb-server` starts a server of the machine's as well.
Real OpenCPS databases are MySQL or MariaDB. Nothing here touches a server that runs already: data, port and log are
this server's alone, below the same folder as the tests' PostgreSQL.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql

from devstack.postgres import UNPRIVILEGED, free_port

OWNER = "lienthong"
START_TIMEOUT_S = 60.0
_PLACES = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", "/usr/libexec"])


class MariaDbError(RuntimeError):
    """The server could not be initialised or started; the message holds its own words."""


def programs() -> tuple[str, str] | None:
    """(mariadbd, mariadb-install-db) of this machine, or None."""
    found = [shutil.which(name, path=_PLACES) for name in ("mariadbd", "mariadb-install-db")]
    return (found[0], found[1]) if found[0] and found[1] else None


@dataclass(frozen=True)
class MariaDb:
    """One server. `home` holds its data and its log. What is committed outlives `kill`, but no power cut."""

    home: Path

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def log(self) -> Path:
        return self.home / "mariadb.log"

    @property
    def port(self) -> int:
        return int((self.home / "port").read_text())

    @property
    def pid(self) -> int:
        """Process id of the server, 0 when it doesn't run."""
        try:
            pid = int((self.home / "pid").read_text())
            return pid if Path(os.readlink(f"/proc/{pid}/cwd")).resolve() == self.data.resolve() else 0
        except (OSError, ValueError):
            return 0

    def url(self, database: str, user: str = OWNER) -> str:
        """SQLAlchemy URL of `database` (no password on the loopback interface)."""
        return f"mysql+pymysql://{user}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Initialise if needed, start, return once it accepts connections."""
        found = programs()
        if found is None:
            raise MariaDbError("there is no MariaDB on this machine")
        daemon, initialise = found
        self.home.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            entry = pwd.getpwnam(UNPRIVILEGED)
            os.chown(self.home, entry.pw_uid, entry.pw_gid)
        if not (self.data / "mysql").is_dir():
            self._run(initialise, "--no-defaults", f"--datadir={self.data}", "--auth-root-authentication-method=normal",
                      "--skip-test-db", "--skip-name-resolve")  # fmt: skip
        (self.home / "init.sql").write_text(
            f"CREATE USER IF NOT EXISTS {OWNER}@'127.0.0.1';\n"
            f"GRANT ALL ON *.* TO {OWNER}@'127.0.0.1' WITH GRANT OPTION;\n"
        )
        port = self.port if (self.home / "port").exists() else free_port()
        (self.home / "port").write_text(str(port))
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [
                    daemon, "--no-defaults", f"--datadir={self.data}", f"--port={port}", "--bind-address=127.0.0.1",
                    "--socket=mariadb.sock", f"--init-file={self.home / 'init.sql'}", "--skip-name-resolve",
                    "--skip-log-bin", "--innodb-flush-log-at-trx-commit=2", "--innodb-buffer-pool-size=64M",
                    "--character-set-server=utf8mb4", "--sql-mode=", "--max-allowed-packet=64M",
                ],
                cwd=self.home, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env=self._environment(), **self._user(),
            )  # fmt: skip
        (self.home / "pid").write_text(str(process.pid))
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._answers():
            if process.poll() is not None or time.monotonic() > deadline:
                raise MariaDbError(f"MariaDB did not start: {self.log.read_text(errors='replace')[-1500:]}")
            time.sleep(0.05)

    def kill(self) -> None:
        """End the server without a word (SIGKILL): for crash tests."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Stop the server if it runs."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        pid = self.pid
        if not pid:
            return
        with suppress(ProcessLookupError):
            os.kill(pid, how)
        with suppress(ChildProcessError):
            os.waitpid(pid, 0)

    def _answers(self) -> bool:
        try:
            pymysql.connect(host="127.0.0.1", port=self.port, user=OWNER, connect_timeout=5).close()
        except pymysql.Error:
            return False
        return True

    def _run(self, *command: str) -> None:
        done = subprocess.run(
            command, cwd=self.home, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
            env=self._environment(), **self._user(),
        )  # fmt: skip
        if done.returncode:
            raise MariaDbError(f"{command[0]} failed ({done.returncode}): {(done.stdout + done.stderr)[-1500:]}")

    def _environment(self) -> dict[str, str]:
        return {"PATH": _PLACES, "LC_ALL": "C", "TMPDIR": str(self.home)}

    def _user(self) -> dict[str, Any]:
        if os.geteuid() != 0:
            return {}
        entry = pwd.getpwnam(UNPRIVILEGED)
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
