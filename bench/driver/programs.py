"""How the programs are called, and which of them are there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from pathlib import Path

from benches import Call, Figures
from machine import on_core, server

TIME_LIMIT = 600
"""Seconds a program."""
WARM_UP = "20000"
"""Events that a peer reads before it measures: about what messages.hpp has every connection bring first."""
BENCH = Path(__file__).resolve().parent.parent
PEERS = BENCH / "peers"


class Failed(Exception):
    pass


def python_with(module: str) -> str | None:
    for python in (sys.executable, "/usr/bin/python3"):  # packages of the distribution belong to the latter
        tried = [python, "-c", f"import {module}"]
        if shutil.which(python) and subprocess.run(tried, capture_output=True).returncode == 0:
            return python
    return None


def installed_peers(folder: Path) -> dict[str, list[str]]:
    """What each peer that is no C++ program of ours is started with; `folder` is what --install fills."""
    modules = folder / "node_modules"
    node, bun, python = shutil.which("node"), modules / ".bin" / "bun", python_with("aiohttp")
    peers = {}
    if node and (modules / "ws").exists():
        peers["node_ws"] = [node, PEERS / "node_ws.js"]
        peers["node_ws_idle"] = [node, "--expose-gc", PEERS / "node_ws_idle.js"]
    if node and (modules / "eventsource").exists():
        peers["npm_eventsource"] = [node, PEERS / "npm_eventsource.js"]
    if bun.exists():
        peers["bun"] = [bun, PEERS / "bun.js"]
    if python:
        peers["aiohttp"] = [python, "-B", PEERS / "aiohttp_feed.py"]
    if (folder / "go_gorilla").exists():
        peers["go_gorilla"] = [folder / "go_gorilla"]
    os.environ["NODE_PATH"] = str(modules)
    return {name: [str(word) for word in command] for name, command in peers.items()}


class Programs:
    FOREIGN = ("node_ws", "npm_eventsource", "bun", "aiohttp", "go_gorilla")
    SCRIPTS = ("include_cost", "build_cost")

    def __init__(self, built: Path, installed: Path, ports: dict[str, list[str]], core: int | None):
        self._built = built
        self._peers = installed_peers(installed)
        self._ports = ports
        self._core = core

    @contextmanager
    def with_the_server_beside(self) -> Iterator[Programs]:
        """The same with another server, on their own core."""
        with server(self._built, self._core) as ports:
            other = copy(self)
            other._ports = ports
            yield other

    def has(self, call: Call) -> bool:
        return os.access(self._start(call)[0], os.X_OK)

    def command(self, call: Call, count: int) -> list[str]:
        if call.program == "build_cost":
            return self._start(call) + list(call.more)
        amount = str(max(1, round(count * call.share)))
        return self._start(call) + list(call.leading) + self._ports[call.port] + [amount] + self._end(call)

    def run(self, call: Call, count: int) -> Figures:
        # The compiler has all cores.
        return json.loads(output_of(self.command(call, count), None if call.program == "build_cost" else self._core))

    def _start(self, call: Call) -> list[str]:
        if call.program in self._peers:
            return self._peers[call.program]
        if call.program in self.SCRIPTS:
            return [str(BENCH / f"{call.program}.sh")]
        return [str(self._built / f"bench_{call.program}")]

    def _end(self, call: Call) -> list[str]:
        return [WARM_UP] if call.program in self.FOREIGN else list(call.more)


def output_of(command: list[str], core: int | None) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIME_LIMIT, **on_core(core))
    except subprocess.TimeoutExpired:
        raise Failed(f"{' '.join(command)}: no end after {TIME_LIMIT} s") from None
    if done.returncode != 0:
        raise Failed(f"{' '.join(command)}: status {done.returncode}\n{done.stderr.strip()}")
    return done.stdout
