"""Where things run: what is measured on the first core that we may use, the server on the last."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def cores() -> tuple[int, int]:
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[-1]


def on_core(core: int | None) -> dict[str, object]:
    """For `subprocess`; None: wherever there is time."""
    return {} if core is None else {"preexec_fn": lambda: os.sched_setaffinity(0, {core})}


@contextmanager
def kept_awake(core: int | None) -> Iterator[None]:
    """On a virtual machine a request is quicker than going to sleep and waking up, which count as the client's time and
    vary twofold with the neighbours. What runs only while its core has nothing else to do keeps the core awake."""
    if core is None:
        yield
        return
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        os.sched_setaffinity(0, {core})
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        while os.getppid() == parent:
            pass
        os._exit(0)
    try:
        yield
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)


@contextmanager
def server(programs: Path, core: int | None) -> Iterator[dict[str, list[str]]]:
    """bench_server on a core of its own. Yields what a client's command begins with, by the kind of port."""
    process = subprocess.Popen([programs / "bench_server"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                               **on_core(core))
    try:
        ports = process.stdout.readline().split()
        if len(ports) != 2:
            sys.exit("bench_server did not start")
        yield {"plain": ports[:1], "tls": ports[1:], "none": []}
    finally:
        process.stdin.close()  # which ends it
        process.wait()
