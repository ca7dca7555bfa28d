"""`python -m devstack.sqlgen [--check | --tables KIND]`: write include/sql/kinds, or say what is not current (exit 1),
or print the tables of a new kind, to start its migration from."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from devstack.sqlgen.generate import generated, tables
from lienthong.model.kinds import KINDS

SQL = Path(__file__).resolve().parents[2] / "include" / "sql"


def main() -> int:
    parser = argparse.ArgumentParser(prog="sqlgen", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file is not current")
    parser.add_argument("--tables", choices=sorted(KINDS), help="print the tables of a kind")
    arguments = parser.parse_args()
    if arguments.tables:
        print(tables(KINDS[arguments.tables]), end="")
        return 0
    wanted = generated()
    there = {str(path.relative_to(SQL)) for path in (SQL / "kinds").rglob("*.sql")}
    stale = [name for name, text in wanted.items() if name not in there or (SQL / name).read_text("utf-8") != text]
    unwanted = sorted(there - wanted.keys())
    if arguments.check:
        for name in [*stale, *unwanted]:
            print(f"include/sql/{name} is not what the specifications say: run `make sql`", file=sys.stderr)
        return 1 if stale or unwanted else 0
    for name in stale:
        (SQL / name).parent.mkdir(parents=True, exist_ok=True)
        (SQL / name).write_text(wanted[name], "utf-8")
    for name in unwanted:
        (SQL / name).unlink()
    print(f"{len(wanted)} statements, {len(stale)} written, {len(unwanted)} removed")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
