"""`python -m simulator up` brings the outside world up; `python -m simulator advance` lets time go by in it.

Both print one JSON object per line on stdout and progress on stderr.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from contextlib import ExitStack
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg2
from psycopg2 import sql

from simulator import control
from simulator import state as states
from simulator.bgtvt import BgtvtServer
from simulator.catalogue import PROVINCES
from simulator.desks import Desks
from simulator.feedback import keeping
from simulator.gplx import GplxServer
from simulator.igate import IgateServer
from simulator.ledger import write_ledger
from simulator.opencps import Installation, create_reader, install, installed
from simulator.outside import Live, Outside
from simulator.portal import Portal, serve
from simulator.portal.server import listen
from simulator.sectors import SECTORS
from simulator.sheets import SheetDrop
from simulator.world import DEFAULT_SIZE, World


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
    """Create and fill the databases if they are not, write the ledger, serve portal and iGates until SIGTERM."""
    kept = states.load(options.state_dir)
    provinces = _provinces(options)
    state = states.State(options.seed, options.size, options.month, provinces, held=_held(options, provinces))
    if options.held is None and kept is not None:
        state = replace(state, held=kept.held)  # a world of before there were any stays as it is
    fresh = not state.same_world(kept)
    if fresh and options.held is None:
        state = replace(state, held=_held(options, provinces))
    if kept is not None and not fresh:
        state = kept
    if fresh:  # what the portal held belongs to another world
        for leftover in options.state_dir.glob("portal.sqlite*"):
            leftover.unlink()
        keeping.forget(options.state_dir)
    _say(f"generating {state.size} dossiers per province, seed {state.seed}, month {state.month}")
    world = state.world(options.state_dir)
    databases = {p.code: _fill(options, world, p.code) for p in world.provinces if p.system == "opencps"}
    if fresh or not states.ledger_path(options.state_dir).exists():
        write_ledger(world.ledger(), states.ledger_path(options.state_dir), world.disagreements())
    states.save(options.state_dir, state)
    states.tidy(options.state_dir, state)
    feedbacks = keeping.all_of(options.state_dir, world)
    with ExitStack() as running:
        portal = Portal(store_path=states.store_path(options.state_dir))
        running.callback(portal.store.close)
        igates: dict[str, IgateServer] = {}
        for province in world.provinces:
            if province.system == "igate":
                port = options.igate_port + len(igates) if options.igate_port else 0
                server = IgateServer(world, province.code, host=options.host, port=port)
                igates[province.code] = running.enter_context(server)
        desks = running.enter_context(Desks(feedbacks, host=options.host, port=options.desk_port))
        holders = {source_id: _running(options, world, source_id, running) for source_id in world.held}
        outside = Outside(options.state_dir, state, world, databases, igates, feedbacks, holders)
        for code, server in igates.items():
            server.igate.mover = partial(outside.advance, code)
        for source_id, holder in holders.items():
            if not isinstance(holder, SheetDrop):
                holder.desk.mover = partial(outside.advance, source_id)
        bound = listen(options.host, options.port)
        portal_url = f"http://{options.host}:{bound.getsockname()[1]}"
        key = control.publish(options.state_dir, portal_url)
        running.callback(control.withdraw, options.state_dir)
        if options.live_every:
            running.enter_context(Live(outside, state.seed, options.live_every, options.live_changes, _say))
        stopping = _noted_sigterm()
        ready = _ready(options, portal, portal_url, databases, igates) | desks.services()
        ready["services"] |= {source_id: holder.service() for source_id, holder in holders.items()}
        print(json.dumps(ready), flush=True)
        serve(portal, bound, [control.advance_route(outside, key)], stopping)
    return 0


def move_on(options: argparse.Namespace) -> int:
    """One working day goes by in one province: `changes` dossiers change, in its system and in the ledger."""
    made = control.ask(options.state_dir, options.province, options.seed, options.changes)
    if made is None:
        made = _move_alone(options)
    print(json.dumps(made), flush=True)
    return 0


def _move_alone(options: argparse.Namespace) -> dict[str, Any]:
    """Nobody serves the world: move it here."""
    state = states.load(options.state_dir)
    if state is None:
        raise ValueError(f"no world is kept in {options.state_dir}: run `python -m simulator up` first")
    world = state.world(options.state_dir)
    databases = {p.code: _database_url(options, p.code) for p in world.provinces if p.system == "opencps"}
    url = databases.get(options.province)
    if url and installed(url) != Installation.of(world, options.province):
        raise ValueError(f"the database of {options.province} holds another world: run `python -m simulator up` first")
    outside = Outside(options.state_dir, state, world, databases, {}, keeping.all_of(options.state_dir, world))
    made = outside.advance(options.province, options.seed, options.changes)
    return {"province": options.province, "changes": [asdict(change) for change in made]}


def _ready(
    options: argparse.Namespace, portal: Portal, portal_url: str, databases: dict[str, str],
    igates: dict[str, IgateServer],
) -> dict[str, Any]:  # fmt: skip
    """What `up` answers. `sources` are databases, `services` are HTTP; both by source id."""
    urls = databases
    if options.reader_role:
        role, password = options.reader_role, options.reader_password
        urls = {code: _with_login(url, role, password) for code, url in databases.items()}
    return {
        "ready": True,
        "portal_url": portal_url,
        "sources": {f"opencps_{code.lower()}": url for code, url in urls.items()},
        "services": {f"igate_{code.lower()}": server.service() for code, server in igates.items()},
        "ledger": str(states.ledger_path(options.state_dir)),
        "accounts": {account.province: [account.username, account.password] for account in portal.accounts.values()},
    }


def _running(
    options: argparse.Namespace, world: World, source_id: str, running: ExitStack
) -> BgtvtServer | GplxServer | SheetDrop:
    """A sectoral system that runs until `running` ends, or the folder of a unit without one with its list in it."""
    kind = SECTORS[source_id].kind
    if kind == "sheet":
        unit = SheetDrop(world, (options.state_dir.resolve() / "sheets" / source_id).as_uri(), source_id)
        unit.drop(f"ho-so-{world.moves[source_id]:04d}.xlsx")
        return unit
    if kind == "bgtvt":
        return running.enter_context(BgtvtServer(world, source_id, host=options.host))
    return running.enter_context(GplxServer(world, source_id, host=options.host))


def _fill(options: argparse.Namespace, world: World, province: str) -> str:
    """The province's database, created, filled and readable; its URL."""
    name, url = database_of(options, province), _database_url(options, province)
    _create_database(options.postgres_url, name)
    done = install(world, province, url)
    _say(f"{name}: {'installed' if done else 'already installed'}")
    if options.reader_role:
        create_reader(url, options.reader_role, options.reader_password)
    return url


def _provinces(options: argparse.Namespace) -> tuple[str, ...]:
    codes = tuple(code.strip().upper() for code in options.provinces.split(","))
    for code in codes:
        if code not in PROVINCES:
            raise ValueError(f"no province {code or '(empty)'}: there are {', '.join(PROVINCES)}")
    return tuple(dict.fromkeys(codes))


def _held(options: argparse.Namespace, provinces: tuple[str, ...]) -> tuple[str, ...]:
    """The sectoral systems asked for, in the order of SECTORS."""
    asked = {name.strip() for name in (options.held or "").split(",") if name.strip()}
    for name in sorted(asked):
        if name not in SECTORS or SECTORS[name].province not in provinces:
            raise ValueError(f"no sectoral system {name} of these provinces: there are {', '.join(SECTORS)}")
    return tuple(source_id for source_id in SECTORS if source_id in asked)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
    commands = parser.add_subparsers(required=True)
    up_command = commands.add_parser("up", help="bring the outside world up and serve portal and iGates")
    up_command.add_argument(
        "--provinces", default=",".join(PROVINCES), help="e.g. H17,H21; default: all that are known"
    )
    up_command.add_argument("--held", help="sectoral systems, e.g. bgtvt_h17,gplx_h17,sheet_h21; default: none")
    up_command.add_argument("--size", type=int, default=DEFAULT_SIZE, help="dossiers per province")
    up_command.add_argument("--month", default="2026-10", help="last month with dossiers, YYYY-MM")
    up_command.add_argument("--host", default="127.0.0.1")
    up_command.add_argument("--port", type=int, default=0, help="of the portal; 0 = any free port")
    up_command.add_argument("--igate-port", type=int, default=0, help="of the first iGate, then counting up; 0 = any")
    up_command.add_argument("--desk-port", type=int, default=0, help="of the first service of petitions and ratings")
    up_command.add_argument("--live-every", type=float, default=0.0, help="seconds between small changes; 0 = none")
    up_command.add_argument("--live-changes", type=int, default=3, help="changed dossiers per province and step")
    up_command.add_argument("--reader-role", default="", help="also create a read-only login of this name")
    up_command.add_argument(
        "--reader-password",
        default=os.environ.get("SIMULATOR_READER_PASSWORD", ""),
        help="its password; better in SIMULATOR_READER_PASSWORD, which no process list shows",
    )
    up_command.set_defaults(run=up)
    advance_command = commands.add_parser("advance", help="let one working day go by in one province")
    advance_command.add_argument("--province", default="H17")
    advance_command.add_argument("--changes", type=int, default=20)
    advance_command.set_defaults(run=move_on)
    for command in (up_command, advance_command):
        command.add_argument("--postgres-url", default="", help="SQLAlchemy URL of a role that may create databases")
        command.add_argument("--state-dir", type=Path, required=True, help="where ledger and portal store are kept")
        command.add_argument("--seed", type=int, default=766)
        command.add_argument("--database-prefix", default="sim_", help="databases are named <prefix><province>")
    return parser


def _noted_sigterm() -> threading.Event:
    """Set by SIGTERM from now on: an exception in whatever runs at that moment (an import, a callback) can get lost."""
    stopping = threading.Event()
    # Nobody waits for the event, so setting it in the middle of the main thread can't meet its lock.
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    return stopping


def _leave(signum: int, frame: FrameType | None) -> Any:
    raise SystemExit(0)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _database_url(options: argparse.Namespace, province: str) -> str:
    if not options.postgres_url:
        raise ValueError(f"{province} keeps its dossiers in a database: give --postgres-url")
    return _with_database(options.postgres_url, database_of(options, province))


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
