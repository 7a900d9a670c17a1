"""The process that workers are forks of."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from functools import partial
from importlib import import_module
from multiprocessing import forkserver
from pathlib import Path

import pytest

import gliomask
from gliomask.jobs import fork_server
from gliomask.jobs.workers import Workers
from gliomask.segmentation.preload import PRELOAD
from tests.jobs.crews import loaded
from tests.jobs.test_workers import first

ROOT = str(Path(gliomask.__file__).parents[1])

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="workers are forks on Linux only")


@pytest.fixture(autouse=True)
def _no_server() -> None:
    """There is one for a process; that of another test has loaded other modules."""
    forkserver._forkserver._stop()  # type: ignore[attr-defined]


def test_a_fork_has_what_was_loaded_ahead_and_its_own_variables(tmp_path: Path) -> None:
    """The variables of the server itself are not left in this process."""
    variables = {"GLIOMASK_TEST_VARIABLE": "1", "OMP_NUM_THREADS": "3"}
    before = dict(os.environ)
    fork_server.start_ahead(("tests.jobs.crews",))
    with Workers(partial(loaded, tmp_path), 1, variables, preload=("tests.jobs.crews",)) as workers:
        first(workers, "a")
    assert (tmp_path / "a").read_text().split() == ["1", "3", "1", "True"]
    assert dict(os.environ) == before


def test_what_is_loaded_ahead_starts_no_threads() -> None:
    """A fork has but one thread: what relied on another one would wait for it for ever."""
    code = (
        "import os, sys\n"
        "from importlib import import_module\n"
        "for name in sys.argv[1:]: import_module(name)\n"
        "print(len(os.listdir('/proc/self/task')))"
    )
    variables = {**os.environ, **dict.fromkeys(fork_server.SINGLE_THREAD, "1")}
    words = [sys.executable, "-c", code, *PRELOAD]
    ran = subprocess.run(words, env=variables, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["1"], ran.stderr


def test_modules_to_load_ahead_exist() -> None:
    """``multiprocessing`` says nothing of one that doesn't."""
    assert all(import_module(name) for name in PRELOAD)


def test_a_checkout_that_comes_first_is_also_the_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    library = sysconfig.get_path("stdlib")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setattr(sys, "path", [ROOT, library])
    assert fork_server._import_path() == {"PYTHONPATH": f"{ROOT}{os.pathsep}/elsewhere"}
    monkeypatch.delenv("PYTHONPATH")
    assert fork_server._import_path() == {"PYTHONPATH": ROOT}
    monkeypatch.setattr(sys, "path", [library, ROOT])  # an installed one is found anyway
    assert fork_server._import_path() == {}
