"""From the specification of a kind to its statements: one template for each, one file for each kind (and child)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lienthong.model.kinds import KINDS, EntitySpec, KindSpec

TEMPLATES = Path(__file__).parent / "templates"
#: Templates of which every child has a statement of its own; the rest have one for each kind.
OF_CHILDREN = {
    "apply_child": "apply_{}",
    "compare_child": "compare_{}",
    "count_child": "count_{}",
    "digest_child": "digest_{}",
    "forget_child": "forget_{}",
    "note_superseded_child": "note_superseded_{}",
    "retire_child": "retire_{}",
}
_KEY = ("tenant", "source_id", "source_key")
_RECORD = ("version", "record_hash", "recipe", "blocked_reasons", "observed_at", "load_id")


def stored_names(entity: EntitySpec, *, personal: bool | None = None) -> tuple[str, ...]:
    """Fields that the warehouse keeps; with `personal`, only those that are so or not."""
    return tuple(f.name for f in entity.fields if f.stored and (personal is None or f.personal is personal))


def record_columns(kind: KindSpec) -> tuple[str, ...]:
    """Columns of the table of believed roots, in order. Personal values stand in `person`."""
    thing = (kind.thing,) if kind.thing else ()
    return (*_KEY, *thing, *_RECORD, *stored_names(kind.root, personal=False))


def person_columns(kind: KindSpec) -> tuple[str, ...]:
    return (*_KEY, "version", *kind.root.personal_names)


def child_columns(child: EntitySpec) -> tuple[str, ...]:
    return (*_KEY, "child_key", "version", *stored_names(child))


def statements(kind: KindSpec) -> Iterator[tuple[str, str]]:
    """(name below include/sql/kinds/<kind>, text) of every generated statement of a kind."""
    environment, context = _environment(), _context(kind)
    for path in sorted(TEMPLATES.glob("*.sql.j2")):
        name = path.name.removesuffix(".sql.j2")
        template = environment.get_template(path.name)
        if name not in OF_CHILDREN:
            yield name, _text(name, kind, template.render(context))
            continue
        for child in kind.children:
            columns = {"child": child, "child_columns": child_columns(child)}
            yield OF_CHILDREN[name].format(child.entity), _text(name, kind, template.render(context | columns))


def tables(kind: KindSpec) -> str:
    """Tables of a new kind, to start its migration from. A migration that exists is never made again."""
    return _environment().get_template("ddl/kind.sql.j2").render(_context(kind)).strip() + "\n"


def generated(kinds: dict[str, KindSpec] = KINDS) -> dict[str, str]:
    """Path below include/sql → text, of all kinds."""
    return {
        f"kinds/{kind.name}/{name}.sql": text for kind in kinds.values() for name, text in statements(kind)
    }  # fmt: skip


def _environment() -> Environment:
    return Environment(loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, keep_trailing_newline=True)


def _context(kind: KindSpec) -> dict[str, Any]:
    return {
        "kind": kind,
        "root": kind.root.entity,
        "schema": kind.name,
        "record": f"{kind.name}.{kind.record}",
        "stored": stored_names(kind.root, personal=False),
        "record_columns": record_columns(kind),
        "person_columns": person_columns(kind),
    }


def _text(template: str, kind: KindSpec, body: str) -> str:
    note = f"-- Made by `make sql` from {template}.sql.j2 and model/kinds/{kind.name}.py: change those.\n"
    return note + body.strip() + "\n"
