"""A job that is done and whose mask may be corrected, without a network, for tests."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
from starlette.testclient import TestClient

from gliomask.core.labels import LabelArray
from gliomask.core.volume import Affine, FloatArray, Volume
from gliomask.formats.nifti import write_nifti
from gliomask.jobs.control import SILENT
from gliomask.results.correction.editable import write_editable_case
from gliomask.results.prediction.write import write_outputs
from gliomask.web.service import Service
from gliomask.web.task import Task, TaskFile, TaskResult
from gliomask.web.tokens import Access
from gliomask.web.worker import auditor
from tests.predictions import outcome_of
from tests.web.service import API

AFFINE = np.diag([-2.0, 2.0, 5.0, 1.0])
"""20 cubic millimetres a voxel."""
REGIONS = ("whole", "core", "enhancing")


def a_mask() -> LabelArray:
    """Whole tumour of 24 voxels, of which the core has 4 and the enhancing tumour 1."""
    mask = np.zeros((6, 7, 5), np.uint8)
    mask[1:4, 1:5, 1:3] = 2
    mask[2, 2:4, 1:3] = 1
    mask[2, 2, 1] = 3
    return mask


def done_job(
    service: Service, *, owner: str = "ann", case: str = "p1-a", patient: str = "p1"
) -> str:
    """A job of this owner, with the files that a worker leaves; its id."""
    access = Access(owner, frozenset(("read", "submit")))
    upload = service.uploads.create(access).id
    job = service.queue.add(access, "predict", upload, {})[0].id
    assert service.queue.next("predict") is not None
    mask, probabilities = a_mask(), np.zeros((3, 6, 7, 5), np.float32)
    probabilities[0][mask > 0] = 0.9
    outcome = outcome_of(
        case, mask, AFFINE, regions=REGIONS, probabilities=probabilities, patient=patient
    )
    image = np.arange(mask.size, dtype=np.float32).reshape(1, *mask.shape) + 50 * (mask > 0)
    outcome = replace(outcome, volume=Volume(image, AFFINE, ("flair",)))
    result = service.folder.result(job)
    result.mkdir(parents=True)
    write_outputs(result, outcome, ("nifti",))
    write_editable_case(service.folder.editable(job, case), outcome, result)
    done = {"case": case, "voxels": {"whole": 24, "core": 4, "enhancing": 1}}
    service.queue.done(job, {"model": service.models[0].name, "cases": [done], "failures": []})
    return job


def work_here(service: Service) -> None:
    """Has the work of workers done in this process."""
    service.supervisor.problem = ""

    def run(task: Task, content: TaskFile) -> TaskResult:
        task.write(content)
        return auditor()(task, SILENT)

    service.supervisor.run = run  # type: ignore[method-assign]


def nifti(folder: Path, mask: LabelArray | FloatArray, affine: Affine = AFFINE) -> bytes:
    """A file with this mask."""
    path = folder / "drawn.nii.gz"
    write_nifti(path, mask, affine)
    return path.read_bytes()


def base_of(one: TestClient, job: str) -> str:
    """SHA-256 of the newest mask."""
    (case,) = one.get(f"{API}/jobs/{job}/corrections").json()["cases"]
    content = one.get(f"{API}/jobs/{job}/layers/current").content
    assert hashlib.sha256(content).hexdigest() == case["sha256"]
    found: str = case["sha256"]
    return found
