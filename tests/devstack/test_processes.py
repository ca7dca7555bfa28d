"""Children are surely ended, and nobody else is."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack.processes import Child, ProcessError, boot_id, end_all, stat

#: Starts a grandchild in a process group of its own that ignores SIGTERM, tells its id, and waits.
STUBBORN = """
import os, signal, subprocess, sys, time
code = "import os, signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); os.setpgid(0, 0); " \
       "print(os.getpid(), flush=True); time.sleep(600)"
subprocess.Popen([sys.executable, "-c", code])
time.sleep(600)
"""


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Child]:
    made = Child("child", tmp_path / "run", tmp_path / "child.log")
    yield made
    made.stop()


def _start(child: Child, folder: Path, code: str) -> None:
    child.start([sys.executable, "-c", code], os.environ, folder)


def _first_line(child: Child) -> str:
    while True:
        text = child.log.read_text() if child.log.exists() else ""
        if text.endswith("\n"):
            return text.splitlines()[0]
        child.check()


def _alive(pid: int) -> bool:
    found = stat(pid)
    return found is not None and found.state != "Z"


def _record(folder: Path) -> dict[str, object]:
    record: dict[str, object] = json.loads((folder / "run" / "child.json").read_text())
    return record


def test_stopping_a_child_ends_its_whole_offspring(child: Child, tmp_path: Path) -> None:
    _start(child, tmp_path, STUBBORN)
    grandchild = int(_first_line(child))
    child.stop()
    assert not _alive(grandchild)
    assert not (tmp_path / "run" / "child.json").exists()


def test_what_a_killed_run_left_behind_is_ended_by_the_next(child: Child, tmp_path: Path) -> None:
    _start(child, tmp_path, STUBBORN)
    grandchild, leader = int(_first_line(child)), int(str(_record(tmp_path)["pid"]))
    os.kill(leader, signal.SIGKILL)
    os.waitpid(leader, 0)
    Child("child", tmp_path / "run", tmp_path / "child.log").stop()
    assert not _alive(grandchild)


def test_a_child_ends_with_its_parent_even_when_that_is_killed(tmp_path: Path) -> None:
    code = (
        "import os, sys, time; from pathlib import Path; from devstack.processes import Child; "
        f"folder = Path({str(tmp_path)!r}); child = Child('child', folder / 'run', folder / 'child.log'); "
        "child.start([sys.executable, '-c', 'import time; time.sleep(600)'], os.environ, folder); "
        "print('started', flush=True); time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"started\n"
    pid = int(str(_record(tmp_path)["pid"]))
    watched = os.pidfd_open(pid)
    parent.kill()
    parent.communicate()
    signalled = _readable(watched)
    os.close(watched)
    assert signalled
    assert not _alive(pid)


def _readable(descriptor: int) -> bool:
    """Whether a pidfd tells the end of its process within half a minute."""
    return bool(select.select([descriptor], [], [], 30)[0])


@pytest.mark.parametrize("change", [{"started": 1}, {"boot": "another boot"}])
def test_a_recycled_process_id_is_never_ended(child: Child, tmp_path: Path, change: dict[str, object]) -> None:
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    found = stat(stranger.pid)
    assert found is not None
    record = {
        "name": "child",
        "pid": stranger.pid,
        "started": found.started,
        "boot": boot_id(),
        "folder": str(tmp_path),
    }
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "child.json").write_text(json.dumps(record | change))
    child.stop()
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_a_record_that_was_cut_short_does_not_stop_the_next_run(child: Child, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "child.json").write_text('{"name": "chi')
    child.stop()
    _start(child, tmp_path, "print('started', flush=True); import time; time.sleep(600)")
    assert _first_line(child) == "started"


def test_a_child_that_ended_is_reported_with_its_last_words(child: Child, tmp_path: Path) -> None:
    _start(child, tmp_path, "import sys; print('the port is taken'); sys.exit(3)")
    with pytest.raises(ProcessError, match=r"code 3[\s\S]*the port is taken"):
        child.wait(30)


def test_a_detached_child_outlives_its_parent_and_is_found_by_the_next_run(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from devstack.processes import Child; "
        f"folder = Path({str(tmp_path)!r}); child = Child('child', folder / 'run', folder / 'log', detached=True); "
        "child.start([sys.executable, '-c', 'import time; time.sleep(600)'], os.environ, folder); print(child.pid)"
    )
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True, text=True)
    found = Child("child", tmp_path / "run", tmp_path / "log", detached=True)
    assert found.pid == int(done.stdout)
    assert _alive(found.pid)
    assert found.since is not None
    found.check()
    found.stop()
    assert not _alive(int(done.stdout))


def test_a_child_of_another_run_that_ended_is_reported(child: Child, tmp_path: Path) -> None:
    _start(child, tmp_path, "import sys; print('the port is taken'); sys.exit(3)")
    assert _first_line(child) == "the port is taken"
    with pytest.raises(ProcessError):
        child.wait(30)
    _start(child, tmp_path, "import time; time.sleep(600)")
    os.kill(child.pid, signal.SIGKILL)
    while child.pid:
        pass
    with pytest.raises(ProcessError, match="child ended"):
        Child("child", tmp_path / "run", tmp_path / "child.log").check()


def test_several_children_end_side_by_side(tmp_path: Path) -> None:
    children = [Child(name, tmp_path / "run", tmp_path / f"{name}.log") for name in ("one", "two")]
    for each in children:
        _start(each, tmp_path, STUBBORN)
    grandchildren = [int(_first_line(each)) for each in children]
    end_all(children)
    assert not any(_alive(pid) for pid in grandchildren)
    assert list((tmp_path / "run").iterdir()) == []
