"""A batch as an array job of a real SLURM, on this machine alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gliomask.cluster.slurm import JobOptions, write_job
from gliomask.results.batch.places import BatchFolder
from gliomask.workflows.batch import BatchOptions, make_manifest
from gliomask.workflows.predict import PredictOptions, predict_files
from tests.cluster.slurm import Slurm, cluster, why_not
from tests.workflows.batches import (
    check_whole,
    environment,
    status,
    wait_for,
    write_heads,
    write_model,
)

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(bool(why_not()), reason=f"no SLURM: {why_not()}"),
]
TASKS = 2


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slurm]:
    with cluster(tmp_path_factory.mktemp("slurm") / "place") as running:
        running.environment.update(environment())
        yield running


def options(place: Path) -> PredictOptions:
    model, write = place / "model", ("nifti",)
    return PredictOptions(inputs=(place / "in",), out=place / "out", model=model, write=write)


def test_an_array_whose_tasks_are_stopped_requeued_and_run_twice(
    slurm: Slurm, tmp_path: Path
) -> None:
    write_model(tmp_path / "model")
    names = write_heads(tmp_path / "in", 12)
    asked = options(tmp_path)
    predicted = asked.model_copy(update={"out": tmp_path / "predicted"})
    predict_files(predicted)
    masks = {name: (tmp_path / "predicted" / f"{name}_mask.nii.gz").read_bytes() for name in names}
    job = JobOptions(tasks=TASKS, cpus=1, memory="100M", time="10")
    make_manifest(BatchOptions(predict=asked))
    out = asked.out
    script = write_job(out, job)

    # One index of the array alone: the status names the others' cases.
    slurm.wait(slurm.submit(script, "--array=1"))
    found = status(out)
    assert found["missing"] == names[1::TASKS]
    assert found["done"] == names[0::TASKS]
    before = {name: (out / f"{name}.json").read_bytes() for name in found["done"]}

    # The warning before the time limit: the task stops and is queued again by itself.
    number = slurm.submit(script)
    wait_for(lambda: len(list(out.glob("*.json"))) > len(before))
    slurm.run("scancel", "--signal=USR1", "--batch", f"{number}_2")
    wait_for(lambda: not slurm.states(number) or "PENDING" in slurm.states(number))
    restarted = slurm.run("scontrol", "show", "job", f"{number}_2")
    assert "Restarts=1" in restarted
    for line in restarted.splitlines():  # SLURM waits two minutes before it starts such a job
        if "JobState=PENDING" in line:
            slurm.run("scontrol", "update", f"JobId={number}_2", "StartTime=now")
    slurm.wait(number)
    check_whole(out, names, masks)
    assert {name: (out / f"{name}.json").read_bytes() for name in before} == before

    # The same array once more does nothing.
    every = {name: (out / f"{name}.json").read_bytes() for name in names}
    slurm.wait(slurm.submit(script))
    assert {name: (out / f"{name}.json").read_bytes() for name in names} == every
    logs = "".join(path.read_text() for path in BatchFolder(out).logs.iterdir())
    assert "Traceback" not in logs
    assert "bug in gliomask" not in logs
