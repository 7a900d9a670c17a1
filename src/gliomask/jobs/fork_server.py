"""A process that imports what workers need, once, and of which the workers are forks.

It runs no threads and keeps no state, so a fork of it is as good as a fresh interpreter and starts
in 20 ms instead of 2 s. Started ahead, it imports while its parent does other things. Elsewhere
than on Linux, where system libraries don't survive a fork, workers are fresh interpreters.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing import forkserver, get_context, set_forkserver_preload
from multiprocessing.context import ForkServerContext, SpawnContext
from pathlib import Path
from typing import Final

SINGLE_THREAD: Final = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
)
"""Variables for the numbers of threads of numerical libraries."""
_ROOT: Final = Path(__file__).parents[2]


def worker_context(preload: Sequence[str]) -> ForkServerContext | SpawnContext:
    """Context for worker processes: forks of a process with these modules; without any, fresh
    interpreters."""
    if not preload or sys.platform != "linux":
        return get_context("spawn")
    start_ahead(preload)
    return get_context("forkserver")


def start_ahead(preload: Sequence[str]) -> None:
    """Begin to import modules for workers; return at once. There is one such process at most.

    Args:
        preload: names of modules. They start no threads.
    """
    if sys.platform != "linux":
        return
    set_forkserver_preload(list(preload))
    # Threads of BLAS, which start at its import, would not be there after a fork.
    with _environment({**dict.fromkeys(SINGLE_THREAD, "1"), **_import_path()}):
        forkserver.ensure_running()


def _import_path() -> dict[str, str]:
    """Variable that gives the server the same gliomask, where a program has put a checkout of it
    first on its path."""
    folders = [str(Path(entry).resolve()) for entry in sys.path]
    root, library = str(_ROOT), sysconfig.get_path("stdlib")
    if root not in folders[: folders.index(library) if library in folders else None]:
        return {}
    rest = os.environ.get("PYTHONPATH")
    return {"PYTHONPATH": os.pathsep.join([root, rest] if rest else [root])}


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
