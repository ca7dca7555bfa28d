"""Child processes that are surely ended: by us, or by the next run when this one was killed.

Each child leads its own session, so that its whole offspring can be found even when a process in between is gone. A
record on disk names it by process id, start time and boot: a recycled id is never mistaken for a child of ours. A child
ends with its parent unless it is `detached`; then the record is all that leads to it, so the child writes it itself.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

TERMINATE_S = 5.0
KILL_S = 10.0
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


class ProcessError(RuntimeError):
    """A child could not be started or ended before it was ready; the message says where its log lies."""


@dataclass(frozen=True)
class Stat:
    """What /proc says about a process; `started` is in clock ticks since boot."""

    pid: int
    state: str
    session: int
    started: int


@dataclass(frozen=True)
class Record:
    """Identity of a child on disk: enough to recognise it, and only it, in a later run."""

    name: str
    pid: int
    started: int
    boot: str
    folder: str


def stat(pid: int) -> Stat | None:
    """State of process `pid`, None when there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = text[text.rindex(")") + 2 :].split()  # the name before it may hold spaces and parentheses
    return Stat(pid, fields[0], int(fields[3]), int(fields[19]))


def began(started: int) -> datetime:
    """The instant of `started`, clock ticks since boot."""
    boot = next(line for line in Path("/proc/stat").read_text().splitlines() if line.startswith("btime "))
    return datetime.fromtimestamp(int(boot.split()[1]) + started / os.sysconf("SC_CLK_TCK"), UTC)


def boot_id() -> str:
    """Changes at each boot of the machine."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


class Child:
    """One long-running process with a log file and a record in `records`; `detached` lets it outlive its parent."""

    def __init__(self, name: str, records: Path, log: Path, *, detached: bool = False) -> None:
        self.name = name
        self.log = log
        self.detached = detached
        self._file = records / f"{name}.json"
        self._process: subprocess.Popen[bytes] | None = None
        self._log_from = 0

    @property
    def pid(self) -> int:
        """Process id of the running child, 0 when there is none."""
        record = self._record()
        return record.pid if record and _is(record) else 0

    @property
    def since(self) -> datetime | None:
        """When the running child was started, None when there is none."""
        record = self._record()
        return began(record.started) if record and _is(record) else None

    def start(
        self, command: Sequence[str], environment: Mapping[str, str], folder: Path, answer: Path | None = None
    ) -> None:
        """Run `command` in its own session; a leftover of an earlier run is ended first.

        Output is appended to the log; what is said on stdout goes to a new, private file `answer` if one is given.
        Call from a thread that stays alive: a child that is not detached is told to end when the thread does.
        """
        self.stop()
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        boot, place = boot_id(), str(folder.resolve())

        def introduce_oneself() -> None:
            """In the child, before it becomes the program: nobody can be killed between its start and its record."""
            if not self.detached:
                _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            me = stat(os.getpid())
            _write(self._file, Record(self.name, os.getpid(), me.started if me else 0, boot, place))

        with self.log.open("ab") as log, _sink(answer or self.log, append=answer is None) as said:
            self._log_from = log.tell()
            self._process = subprocess.Popen(
                list(command), cwd=folder, env=dict(environment), stdin=subprocess.DEVNULL, stdout=said,
                stderr=log, start_new_session=True, preexec_fn=introduce_oneself,
            )  # fmt: skip

    def check(self) -> None:
        """ProcessError with the end of the log when the child has ended, also one that another run has started."""
        if self._process is not None and self._process.poll() is not None:
            how = f" with code {self._process.returncode}"
        elif self._process is None and (record := self._record()) and not _is(record):
            how = ""
        else:
            return
        raise ProcessError(f"{self.name} ended{how}. Its last words:\n{self.tail()}\nNext: read {self.log}")

    def wait(self, timeout: float) -> None:
        """Return when the child has ended well; ProcessError when it has not, or not in time (it is then ended)."""
        if self._process is None:
            return
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.stop()
            raise ProcessError(f"{self.name} took more than {timeout:.0f} s. Next: read {self.log}") from None
        self._file.unlink(missing_ok=True)
        if code != 0:
            raise ProcessError(
                f"{self.name} ended with code {code}. Its last words:\n{self.tail()}\nNext: read {self.log}"
            )

    def tail(self, lines: int = 15) -> str:
        """The last lines that the child has logged since its start."""
        with self.log.open("rb") as log:
            log.seek(self._log_from)
            return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])

    def stop(self) -> None:
        """End the child and everything that it started. Also ends a child that an earlier, killed run left behind."""
        self.signal()
        self.finish()

    def signal(self) -> None:
        """Ask the child to end, without waiting: several children then end side by side."""
        record = self._record()
        if record and _is(record):
            _send(record.pid, signal.SIGTERM)

    def finish(self, grace: float = TERMINATE_S) -> None:
        """Wait until the child and its offspring are gone, by force when they are not after `grace` seconds."""
        record = self._record()
        if record is None:
            return
        deadline = time.monotonic() + grace
        while self._alive(record) and _is(record) and time.monotonic() < deadline:
            time.sleep(0.05)
        deadline = time.monotonic() + KILL_S
        while members := self._alive(record):
            for pid in members:
                _send(pid, signal.SIGKILL)
            if time.monotonic() > deadline:
                raise ProcessError(f"{self.name} cannot be ended: processes {members} remain.")
            time.sleep(0.02)
        if self._process is not None:
            self._process.wait()
        self._file.unlink(missing_ok=True)

    def _record(self) -> Record | None:
        try:
            return Record(**json.loads(self._file.read_text()))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError):
            self._file.unlink()  # not one of ours: ours are put in place whole
            return None

    def _alive(self, record: Record) -> list[int]:
        if self._process is not None:
            self._process.poll()  # reap it
        return session_members(record)


def end_all(children: Sequence[Child], graces: Mapping[str, float] | None = None) -> None:
    """End children side by side; `graces` gives those that are named other seconds before force is used."""
    for child in children:
        child.signal()
    for child in reversed(children):
        child.finish((graces or {}).get(child.name, TERMINATE_S))


def session_members(record: Record) -> list[int]:
    """Living processes of the recorded child's session: itself and all of its offspring, none of anybody else."""
    if record.boot != boot_id():
        return []
    leader = stat(record.pid)
    if leader is not None and leader.started != record.started:
        return []  # the id was given to somebody else, which the system only does when our session is empty
    members = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        found = stat(int(entry.name))
        if found is None or found.session != record.pid or found.state == "Z" or found.started < record.started:
            continue
        if leader is not None or _works_in(found.pid, record.folder):
            members.append(found.pid)
    return sorted(members)


def _works_in(pid: int, folder: str) -> bool:
    """Whether a process whose session leader is gone works in our folder: a last guard against recycled ids."""
    try:
        return os.readlink(f"/proc/{pid}/cwd").startswith(folder)
    except OSError:
        return False


def _is(record: Record) -> bool:
    found = stat(record.pid)
    return found is not None and found.started == record.started and found.state != "Z" and record.boot == boot_id()


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _sink(file: Path, *, append: bool) -> BinaryIO:
    """A log to append to, or a new answer that only we may read."""
    if append:
        return file.open("ab")
    file.unlink(missing_ok=True)
    return os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def _write(file: Path, record: Record) -> None:
    draft = file.with_suffix(".new")
    draft.write_text(json.dumps(asdict(record)))
    draft.replace(file)
