"""Batches with Ray actors on this machine: the same results as the local engine."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from gliomask.cluster.ray_cluster import ray_cluster
from gliomask.cluster.ray_workers import ActorKind, RayWorkers
from gliomask.config.batch import BatchOptions
from gliomask.config.predict import PredictOptions
from gliomask.errors import ConfigError, ModelError, StoppedError
from gliomask.jobs.control import SILENT, Control
from gliomask.jobs.dispatch import Dispatch, Ledger, TaskState
from gliomask.jobs.journal import Journal
from gliomask.jobs.worker_events import Finished, Lost
from gliomask.workflows.batch import batch
from tests.jobs.crews import Named, broken, make
from tests.jobs.test_workers import alive
from tests.workflows.batches import (
    check_whole,
    start,
    status,
    wait_for,
    write_heads,
    write_model,
)

pytestmark = [
    pytest.mark.ray,
    pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed (gliomask[ray])"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # Ray leaves its files to the collector
]
HALF = ActorKind(cpus=0.5)


@pytest.fixture(scope="module")
def ray() -> Iterator[Any]:
    """A cluster of this machine alone."""
    before = signal.getsignal(signal.SIGTERM)
    with ray_cluster(None, 2) as running:
        assert signal.getsignal(signal.SIGTERM) is before
        yield running


def run(
    ray: Any, folder: Path, tasks: Sequence[str], control: Control = SILENT, lease_s: float = 20
) -> dict[str, TaskState]:
    """The states of the tasks after a run over them."""
    with Journal(folder / "tasks", TaskState, "1") as own:
        ledger = Ledger(own)
        todo = [Named(task) for task in tasks if ledger.begin(task, "content")]
        with RayWorkers(ray, partial(make, folder), 2, HALF, lease_s=lease_s) as workers:
            Dispatch(workers, ledger, control, pauses_s=(0.1, 0.2)).run(todo)
        return {task: ledger.get(task) for task in tasks}


def test_each_is_done_once_and_what_can_not_be_is_set_aside(ray: Any, tmp_path: Path) -> None:
    good = [f"good-{n}" for n in range(6)]
    states = run(ray, tmp_path, ["poison-1", "bad-1", "bug-1", "flaky-1", *good])
    for task in (*good, "flaky-1"):
        assert (states[task].state, states[task].text) == ("done", f"key of {task}")
        assert (tmp_path / task).read_text() == "done\n"
    assert (states["bad-1"].state, states["bad-1"].text) == ("failed", "constant image")
    assert "KeyError" in states["bug-1"].text
    poison = states["poison-1"]
    assert (poison.state, poison.lost) == ("failed", 3)
    assert poison.text == (
        "excluded after 3 tries: its worker died (it was killed, or a library crashed)"
    )
    assert len(set((tmp_path / "poison-1.begun").read_text().split())) == 3


def test_a_stop_puts_tasks_back(ray: Any, tmp_path: Path) -> None:
    begun = tmp_path / "long-1.begun"
    with pytest.raises(StoppedError):
        run(ray, tmp_path, ["long-1"], Control(stop_requested=begun.exists))
    with Journal(tmp_path / "tasks", TaskState, "1") as own:
        state = Ledger(own).get("long-1")
    assert (state.state, state.cut, state.lost) == ("waiting", 1, 0)


def test_an_actor_that_stops_by_itself_is_replaced(ray: Any, tmp_path: Path) -> None:
    """As it does when it has not heard from the run for its lease."""
    events: list[object] = []
    with RayWorkers(ray, partial(make, tmp_path), 1, HALF) as workers:

        def until(met: Callable[[], bool]) -> None:
            def polled() -> bool:
                events.extend(workers.events(0.1))
                return met()

            wait_for(polled)

        until(lambda: workers.idle > 0)
        workers.give(Named("long-1"))
        wait_for((tmp_path / "long-1.begun").exists)
        workers._workers[0].handle.stop.remote()
        silent = Lost(Named("long-1"), "stopped, because this run was silent for too long")
        until(lambda: silent in events)
        until(lambda: workers.idle > 0)
        workers.give(Named("good-1"))
        until(lambda: isinstance(events[-1], Finished))


def test_an_error_while_getting_ready_ends_all(ray: Any) -> None:
    with (
        RayWorkers(ray, broken, 1, HALF) as workers,
        pytest.raises(ModelError, match="model: damaged weights"),
    ):
        list(itertools.chain.from_iterable(workers.events(0.1) for _ in range(600)))


@pytest.mark.slow
def test_a_frozen_actor_is_given_up_and_its_task_done_once(ray: Any, tmp_path: Path) -> None:
    states = run(ray, tmp_path, ["freezes-1"], lease_s=5)
    assert (states["freezes-1"].state, states["freezes-1"].lost) == ("done", 1)
    first = int((tmp_path / "freezes-1.begun").read_text().split()[0])
    if alive(first):
        os.kill(first, signal.SIGCONT)  # it finds out that it was killed
    wait_for(lambda: not alive(first))
    assert (tmp_path / "freezes-1").read_text() == "done\n"


def test_authentication_that_is_switched_off_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    with (
        pytest.raises(ConfigError, match="anyone on the network can run code"),
        ray_cluster(None, 1),
    ):
        pass


@pytest.mark.slow
def test_masks_are_those_of_the_local_engine_whatever_is_killed(tmp_path: Path) -> None:
    """An actor, then the command itself, and at last SIGTERM; the run after them does the rest."""
    write_model(tmp_path / "model")
    names = write_heads(tmp_path / "in", 12)
    keys: dict[str, Any] = {"inputs": (tmp_path / "in",), "model": tmp_path / "model"}
    local = PredictOptions(**keys, write=("nifti",), out=tmp_path / "local")
    batch(BatchOptions(predict=local, workers=2))
    masks = {n: (tmp_path / "local" / f"{n}_mask.nii.gz").read_bytes() for n in names}
    out = tmp_path / "out"
    how = ("--write", "nifti", "--engine", "ray", "--workers", "2")
    words = (tmp_path / "in", "--out", out, "--model", tmp_path / "model", *how)

    with start(*words) as process:
        watch(process, lambda: bool(actors()) and results(out) > 0)
        os.kill(actors()[0], signal.SIGKILL)
        before = results(out)
        watch(process, lambda: results(out) > before)
        process.kill()
    wait_for(lambda: not actors(), pause_s=0.5)
    assert results(out) < len(names)
    left = set(out.glob(".writing-*"))  # of the killed ones

    with start(*words) as process:
        watch(process, lambda: bool(actors()))
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=120)
        assert process.returncode == 143, err
    assert set(out.glob(".writing-*")) <= left

    with start(*words) as process:
        said, err = process.communicate(timeout=600)
        assert process.returncode == 0, err
    assert said.splitlines()[0] == "12 done, 0 failed, by tiny"
    check_whole(out, names, masks)
    assert status(out)["missing"] == []


def results(out: Path) -> int:
    return len(list(out.glob("*.json")))


def watch(process: subprocess.Popen[str], met: Callable[[], bool]) -> None:
    """Until it is so; the command has not ended before."""
    wait_for(lambda: met() or process.poll() is not None, pause_s=0.3)
    assert process.poll() is None, process.communicate()


@pytest.mark.slow
def test_a_node_that_dies_takes_no_case_along(tmp_path: Path) -> None:
    """A head without processors and two nodes of one each, of which one is killed."""
    from ray.cluster_utils import Cluster

    cluster: Any = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False}
    )
    try:
        nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
        cluster.wait_for_nodes()
        tasks = [f"good-{n}" for n in range(12)]
        killed: list[bool] = []

        def kill_a_node() -> bool:
            if not killed and len(list(tmp_path.glob("good-*.begun"))) >= 3:
                killed.append(True)
                cluster.remove_node(nodes[0], allow_graceful=False)
                cluster.add_node(num_cpus=1)
            return False

        with ray_cluster(cluster.address, 1) as ray:
            states = run_slowly(ray, tmp_path, tasks, Control(stop_requested=kill_a_node))
        assert killed
        assert {state.state for state in states.values()} == {"done"}
        assert sum(state.lost for state in states.values()) >= 1
        for task in tasks:
            assert (tmp_path / task).read_text() == "done\n"
    finally:
        cluster.shutdown()


def run_slowly(
    ray: Any, folder: Path, tasks: Sequence[str], control: Control
) -> dict[str, TaskState]:
    """As ``run``, by an actor on each node, half a second for a task."""
    with Journal(folder / "tasks", TaskState, "1") as own:
        ledger = Ledger(own)
        todo = [Named(task) for task in tasks if ledger.begin(task, "content")]
        with RayWorkers(ray, partial(make, folder, 0.5), 2, ActorKind()) as workers:
            Dispatch(workers, ledger, control).run(todo)
        return {task: ledger.get(task) for task in tasks}


def actors() -> list[int]:
    """The processes of our actors on this machine."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes()
        except OSError:
            continue
        if words.startswith(b"ray::RayWorker"):
            found.append(int(path.parent.name))
    return found
