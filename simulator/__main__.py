"""`python -m simulator up` brings the outside world up; `python -m simulator advance` lets time go by in it.

Both print one JSON object per line on stdout and progress on stderr.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg2
from psycopg2 import sql

from simulator import state as states
from simulator.ledger import write_ledger
from simulator.opencps import advance, create_reader, install
from simulator.portal import Portal, serve
from simulator.portal.server import listen
from simulator.world import DEFAULT_SIZE


def main(arguments: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _leave)
    options.state_dir.mkdir(parents=True, exist_ok=True)
    try:
        return int(options.run(options))
    except KeyboardInterrupt:
        return 130
    except (ValueError, psycopg2.Error) as error:
        print(f"simulator: {error}".strip(), file=sys.stderr)
        return 2


def database_of(options: argparse.Namespace, province: str) -> str:
    """Name of a province's database: `sim_h17`."""
    return f"{options.database_prefix}{province.lower()}"


def up(options: argparse.Namespace) -> int:
    """Create and fill the databases if they are not, write the ledger, serve the portal until SIGTERM."""
    kept = states.load(options.state_dir)
    state = states.State(options.seed, options.size, options.month)
    fresh = not state.same_world(kept)
    if kept is not None and not fresh:
        state = kept
    if fresh:  # what the portal held belongs to another world
        for leftover in options.state_dir.glob("portal.sqlite*"):
            leftover.unlink()
    _say(f"generating {state.size} dossiers per province, seed {state.seed}, month {state.month}")
    world = state.world()
    sources = {}
    for province in world.provinces:
        name = database_of(options, province.code)
        url = _with_database(options.postgres_url, name)
        _create_database(options.postgres_url, name)
        done = install(world, province.code, url)
        _say(f"{name}: {'installed' if done else 'already installed'}")
        if options.reader_role:
            create_reader(url, options.reader_role, options.reader_password)
            url = _with_login(url, options.reader_role, options.reader_password)
        sources[f"opencps_{province.code.lower()}"] = url
    if fresh or not states.ledger_path(options.state_dir).exists():
        write_ledger(world.ledger(), states.ledger_path(options.state_dir))
    states.save(options.state_dir, state)
    portal = Portal(store_path=states.store_path(options.state_dir))
    bound = listen(options.host, options.port)
    ready = {
        "ready": True,
        "portal_url": f"http://{options.host}:{bound.getsockname()[1]}",
        "sources": sources,
        "ledger": str(states.ledger_path(options.state_dir)),
        "accounts": {account.province: [account.username, account.password] for account in portal.accounts.values()},
    }
    print(json.dumps(ready), flush=True)
    try:
        serve(portal, bound)
    finally:
        portal.store.close()
    return 0


def move_on(options: argparse.Namespace) -> int:
    """One working day goes by in one province: `changes` dossiers change, in the database and in the ledger."""
    state = states.load(options.state_dir)
    if state is None:
        raise ValueError(f"no world is kept in {options.state_dir}: run `python -m simulator up` first")
    world = state.world()
    if options.province not in world.plans:
        raise ValueError(f"no province {options.province}: there are {', '.join(world.plans)}")
    url = _with_database(options.postgres_url, database_of(options, options.province))
    made = advance(world, options.province, url, options.seed, options.changes)
    states.save(options.state_dir, state.moved(states.Move(options.province, options.seed, options.changes)))
    write_ledger(world.ledger(), states.ledger_path(options.state_dir))
    print(json.dumps({"province": options.province, "changes": [asdict(change) for change in made]}), flush=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
    commands = parser.add_subparsers(required=True)
    up_command = commands.add_parser("up", help="bring the outside world up and serve the portal")
    up_command.add_argument("--size", type=int, default=DEFAULT_SIZE, help="dossiers per province")
    up_command.add_argument("--month", default="2026-10", help="last month with dossiers, YYYY-MM")
    up_command.add_argument("--host", default="127.0.0.1")
    up_command.add_argument("--port", type=int, default=0, help="0 = any free port")
    up_command.add_argument("--reader-role", default="", help="also create a read-only login of this name")
    up_command.add_argument("--reader-password", default="")
    up_command.set_defaults(run=up)
    advance_command = commands.add_parser("advance", help="let one working day go by in one province")
    advance_command.add_argument("--province", default="H17")
    advance_command.add_argument("--changes", type=int, default=20)
    advance_command.set_defaults(run=move_on)
    for command in (up_command, advance_command):
        command.add_argument("--postgres-url", required=True, help="SQLAlchemy URL of a role that may create databases")
        command.add_argument("--state-dir", type=Path, required=True, help="where ledger and portal store are kept")
        command.add_argument("--seed", type=int, default=766)
        command.add_argument("--database-prefix", default="sim_", help="databases are named <prefix><province>")
    return parser


def _leave(signum: int, frame: FrameType | None) -> Any:
    raise SystemExit(0)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _with_database(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def _with_login(url: str, role: str, password: str) -> str:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(role)}:{quote(password)}@{host}"))


def _create_database(admin_url: str, name: str) -> None:
    connection = psycopg2.connect(admin_url.replace("+psycopg2", "", 1))
    connection.autocommit = True  # CREATE DATABASE can't run in a transaction
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
            if not cursor.fetchone():
                cursor.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
