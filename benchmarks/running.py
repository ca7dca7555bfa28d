"""Starts phases in processes of their own and adds what the database server spent meanwhile."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from benchmarks.errors import BenchmarkError
from benchmarks.server import Server
from benchmarks.setting import CLOCK, Setting

Phase = dict[str, Any]


@dataclass
class Runner:
    """Runs phases of one setting, one after the other, and keeps what was measured in `phases`.

    After each phase its `statements` slowest SQL statements are said.
    """

    server: Server
    setting: Setting
    say: Callable[[str], None]
    profile: bool = False
    statements: int = 0
    phases: list[Phase] = field(default_factory=list)

    def run(self, phase: str, mode: str, *, keep: bool = True, **order: Any) -> Phase:
        """One phase; BenchmarkError with its last words when it fails. `keep=False`: preparation, not a result."""
        answer = self.setting.folder / "answer.json"
        answer.unlink(missing_ok=True)
        before = self.server.spent()
        work = order | {
            "phase": phase,
            "clock": CLOCK.isoformat(),
            "profile": self.profile and keep,
            "answer": str(answer),
            "spawned": time.monotonic(),
        }
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.phase"], input=json.dumps(work), text=True, capture_output=True,
            check=False, env=self.setting.environment(), cwd=self.setting.folder,
        )  # fmt: skip
        if done.returncode != 0 or not answer.exists():
            raise BenchmarkError(f"{mode} {phase} failed ({done.returncode}):\n{done.stderr[-4000:]}")
        spent = self.server.spent().since(before)
        measured: Phase = {
            "mode": mode,
            "phase": phase,
            **({"tenant": order["tenant"]} if "tenant" in order else {}),
            **json.loads(answer.read_text()),
            "server_cpu_s": round(spent.cpu_s, 3),
            "wal_mib": round(spent.wal_bytes / 2**20, 1),
            "load_average": round(os.getloadavg()[0], 2),
        }
        if keep:
            self.phases.append(measured)
            self.say(
                f"{mode:>14} {phase:<8} {measured['work_s']:8.2f} s  (start-up {measured['startup_s']:5.2f} s, CPU "
                f"{measured['cpu_s']:7.2f} s + server {measured['server_cpu_s']:7.2f} s, "
                f"peak {measured['peak_mib']} MiB, WAL {measured['wal_mib']:.0f} MiB)"
            )
            for name, told in list(measured["statements"].items())[: self.statements]:
                self.say(f"{told['s']:>32.2f} s {int(told['calls']):>6} × {name}")
        return measured
