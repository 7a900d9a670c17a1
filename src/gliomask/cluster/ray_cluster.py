"""Connection to a Ray cluster: a new one on this machine, or one that is running."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from typing import Any, Final

from gliomask.core.extras import load_extra
from gliomask.errors import ConfigError, MachineError, option

_STORE_BYTES: Final = 80 * 2**20
"""Size of Ray's object store, close to its minimum: only file names go between processes."""
_PATIENCE_S: Final = 10.0
"""Seconds for the processes of a cluster to end."""


@contextmanager
def ray_cluster(address: str | None, cpus: int) -> Iterator[Any]:
    """Connects this process to Ray, without dashboard and usage statistics.

    Args:
        address: address of a running cluster that this machine belongs to; None starts a cluster
            here, which ends with this process, however it ends.
        cpus: number of processors of the cluster that is started here.

    Yields:
        The module ``ray``.

    Raises:
        PackageError: Ray is not installed.
        ConfigError: authentication is disabled.
        MachineError: it can't be started or reached.
    """
    if os.environ.get("RAY_AUTH_MODE", "").lower() == "disabled":
        raise ConfigError(
            "without authentication, anyone on the network can run code through Ray",
            field="RAY_AUTH_MODE",
            found="disabled",
            allowed="token",
        )
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    if address is None:  # otherwise the cluster has its own token
        os.environ["RAY_AUTH_MODE"] = "token"
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
        os.environ.setdefault("RAY_worker_niceness", "0")  # as for our own worker processes
    ray = load_extra("ray")
    own: dict[str, object] = {
        "num_cpus": cpus,
        "include_dashboard": False,
        "object_store_memory": _STORE_BYTES,
    }
    with redirect_stdout(sys.stderr):  # Ray reports dead workers on stdout
        try:
            with _own_signals():
                _connect(ray, address, {} if address else own)
            yield ray
        finally:
            started = _processes(ray)
            ray.shutdown()
            for process in started:  # Ray kills them and leaves zombies
                with suppress(subprocess.TimeoutExpired):
                    process.wait(_PATIENCE_S)


def _processes(ray: Any) -> list[subprocess.Popen[bytes]]:
    """The processes of a cluster that was started here; Ray has no public list of them."""
    node = getattr(ray._private.worker, "_global_node", None)
    kinds = getattr(node, "all_processes", {})
    return [info.process for infos in kinds.values() for info in infos]


def _connect(ray: Any, address: str | None, options: dict[str, object]) -> None:
    try:
        ray.init(
            address=address or "local",
            log_to_driver=False,
            logging_level=logging.ERROR,
            **options,
        )
    except Exception as problem:  # Ray also raises errors that have no separate class
        what = "can't be reached" if address else "can't be started"
        reason = next(iter(str(problem).splitlines()), type(problem).__name__)
        hint = None if address else f"use worker processes: {option('executor', 'local')}"
        raise MachineError(f"Ray {what}: {reason}", path=address, hint=hint) from None


@contextmanager
def _own_signals() -> Iterator[None]:
    """Keeps our handler of SIGTERM, which Ray replaces by one that exits at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
