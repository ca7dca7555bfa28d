"""`python -m simulator.network --upstream URL [--port 0 --seed 766 --share cut_after=0.05 …]`: a faulty network."""

from __future__ import annotations

import argparse
import signal
import threading

from simulator.network.faults import Fault
from simulator.network.proxy import CONTROL, FaultyNetwork


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m simulator.network", description=__doc__)
    parser.add_argument("--upstream", required=True, help="address of the portal")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=766)
    parser.add_argument("--share", action="append", default=[], metavar="FAULT=SHARE", type=_share,
                        help=f"how often a fault is drawn; {', '.join(Fault)}")  # fmt: skip
    chosen = parser.parse_args()
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with FaultyNetwork(chosen.upstream, seed=chosen.seed, shares=dict(chosen.share), port=chosen.port) as network:
        print(f"{network.url} -> {chosen.upstream}; look and switch at {network.url}{CONTROL}", flush=True)
        stopped.wait()


def _share(text: str) -> tuple[Fault, float]:
    fault, _, share = text.partition("=")
    return Fault(fault), float(share)


if __name__ == "__main__":
    main()
