"""The worker without Ray: its answers, and the end of its lease."""

from __future__ import annotations

import pickle
import time

from gliomask.cluster.ray_actor import RayWorker
from gliomask.jobs.control import Control


def finishes(task: float, control: Control) -> str:
    """Works as many seconds as the task says."""
    time.sleep(task)
    control.check()
    return "written"


def make() -> object:
    return finishes


def worker(lease_s: float) -> RayWorker[float, str]:
    made: RayWorker[float, str] = RayWorker(pickle.dumps(make), {}, lease_s)
    assert made.prepare() is None
    return made


def test_a_task_is_done_within_the_lease() -> None:
    assert worker(60.0).do(0.0) == ("finished", "written")


def test_a_worker_that_was_suspended_beyond_its_lease_writes_nothing() -> None:
    assert worker(0.05).do(0.2) == ("stopped", None)


def test_a_look_after_the_lease_does_not_renew_it() -> None:
    looked = worker(0.05)

    def looks_late(task: float, control: Control) -> str:
        time.sleep(task)
        looked.look()
        return finishes(0.0, control)

    looked._work = looks_late
    assert looked.do(0.2) == ("stopped", None)


def test_a_requested_stop() -> None:
    stopped = worker(60.0)
    stopped.stop()
    assert stopped.do(0.0) == ("stopped", None)
