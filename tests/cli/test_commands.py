"""What `lienthong --help` shows of every command, argument and option."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from typer.main import get_command

from lienthong.cli import app


def commands(command: Any, path: str = "lienthong") -> Iterator[tuple[str, Any]]:
    yield path, command
    for name, sub in getattr(command, "commands", {}).items():
        yield from commands(sub, f"{path} {name}")


def test_help_is_in_vietnamese() -> None:
    found = dict(commands(get_command(app)))
    assert len(found) > 10
    for path, command in found.items():
        assert not (command.help or "").isascii(), path
        for parameter in command.params:
            shown = getattr(parameter, "help", None)
            assert shown is not None, (path, parameter.name)
            assert not shown.isascii(), (path, parameter.name)


def test_every_command_that_tells_something_can_tell_it_to_programs() -> None:
    silent = {"lienthong", "lienthong delivery", "lienthong migrate", "lienthong source"}
    silent |= {"lienthong source add", "lienthong source template"}
    for path, command in commands(get_command(app)):
        assert any("--json" in parameter.opts for parameter in command.params) is (path not in silent), path
