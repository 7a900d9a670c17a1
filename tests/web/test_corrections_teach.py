"""Corrections on a server become training data that make a model better on the same patients.

A model trained for a moment marks phantom patients badly; a reader sends the true masks as
corrections, a second reader approves them, and training continues on their export.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from gliomask import predict
from gliomask.errors import CasesError, StoreError
from gliomask.formats.nifti import read_labels, write_nifti
from gliomask.provenance.run_record import RunRecord
from gliomask.store.store import open_store
from gliomask.web.database import open_database
from gliomask.web.tokens import Tokens
from gliomask.workflows.evaluate import EvaluateOptions, EvaluateResult, evaluate
from gliomask.workflows.phantom import PhantomOptions, phantom
from gliomask.workflows.prepare import PrepareOptions, prepare
from gliomask.workflows.train import TrainOptions, train
from tests.commands import run
from tests.web.live import Server, served

pytestmark = [pytest.mark.slow, pytest.mark.server]
RECIPE = ("batch_size=8", "sampling.slices=160")
LEARNT, CORRECTED = 3, 3
"""Number of patients that the first model is trained on, and of those that are corrected."""


@dataclass(frozen=True)
class Lesson:
    """What the test makes: patients, corrections and models.

    Attributes:
        cohort: phantom patients with their masks; corrected: ids of those that were corrected.
        exported: the corrections as a data set; first, second: models before and after.
    """

    cohort: Path
    corrected: tuple[str, ...]
    exported: Path
    first: Path
    second: Path


@pytest.fixture(scope="module")
def lesson(tmp_path_factory: pytest.TempPathFactory) -> Lesson:
    folder = tmp_path_factory.mktemp("teach")
    cohort = phantom(PhantomOptions(out=folder / "cohort", patients=LEARNT + CORRECTED + 2, seed=3))
    patients = sorted(path for path in cohort.iterdir() if path.is_dir())
    for patient in patients[:LEARNT]:
        shutil.copytree(patient, folder / "learnt" / patient.name)
    prepare(PrepareOptions(sources=(folder / "learnt",), out=folder / "learnt.store", workers=1))
    first = trained(folder / "learnt.store", folder / "first", "epochs=2")
    chosen = patients[LEARNT : LEARNT + CORRECTED]
    with (
        pytest.MonkeyPatch.context() as patch,
        served(folder / "data", "--model", str(first)) as one,
    ):
        for patient in chosen:
            correct(one, patient, folder)
        words = ("serve", "export-corrections", "--data", one.data, "--out", folder / "set")
        assert run(patch, *words) == 0
    prepare(PrepareOptions(sources=(folder / "set",), out=folder / "set.store", workers=1))
    second = trained(folder / "set.store", folder / "second", "epochs=8", start=first)
    names = tuple(patient.name for patient in chosen)
    return Lesson(cohort, names, folder / "set", first, second)


def trained(store: Path, out: Path, *changes: str, **more: object) -> Path:
    """Trains the demonstration's small network on all patients of a store."""
    keys = {"store": store, "out": out, "changes": (*RECIPE, *changes), "all_patients": True}
    train(TrainOptions.model_validate({"recipe": "demo", **keys, **more, "device": "cpu"}))
    return out


def correct(server: Server, patient: Path, folder: Path) -> None:
    """Segments a patient, sends its true mask as a correction, and has it approved."""
    scans = folder / "scans" / patient.name
    shutil.copytree(patient, scans, ignore=shutil.ignore_patterns("*_seg*"))
    job = server.ended(server.submit(server.upload(scans), uncertainty=False, write=["nifti"]))
    assert job["state"] == "done", job
    place = f"/jobs/{job['id']}/correction"
    (case,) = server.client.get(f"{place}s").json()["cases"]
    (region,) = case["regions"]
    truth, affine = reference(patient)
    write_nifti(folder / "drawn.nii.gz", (truth * region["number"]).astype(np.uint8), affine)
    content = (folder / "drawn.nii.gz").read_bytes()
    made = server.client.put(place, params={"base": case["sha256"]}, content=content)
    assert made.status_code == 201, made.text
    bob = Tokens(open_database(server.data)).create("bob", ("read", "review"), 1)
    headers = {"authorization": f"Bearer {bob}"}
    answer = server.client.post(f"{place}/{made.json()['number']}/approval", headers=headers)
    assert answer.status_code == 201, answer.text


def reference(patient: Path) -> tuple[npt.NDArray[np.bool_], Any]:
    """Whole tumour of a phantom patient, and the affine."""
    (path,) = patient.glob("*_seg*")
    labels, affine = read_labels(path)
    return labels > 0, affine


def mean_dice(lesson: Lesson, model: Path) -> float:
    """Mean Dice of a model's masks with the corrections, of the corrected patients."""
    scores = []
    for name in lesson.corrected:
        scan = lesson.exported.parent / "scans" / name
        marked = predict(scan, model=model, uncertainty=False).mask > 0
        truth, _ = reference(lesson.cohort / name)
        scores.append(2 * (marked & truth).sum() / (marked.sum() + truth.sum()))
    return float(np.mean(scores))


def test_the_model_reproduces_the_corrections_better_than_before(lesson: Lesson) -> None:
    before, after = mean_dice(lesson, lesson.first), mean_dice(lesson, lesson.second)
    assert after > before + 0.1, (before, after)


def test_the_same_corrections_make_the_same_model(lesson: Lesson, tmp_path: Path) -> None:
    store, out = lesson.exported.with_name("set.store"), tmp_path / "again"
    again = trained(store, out, "epochs=8", start=lesson.first)
    weights = [path / "weights.safetensors" for path in (lesson.second, again)]
    first, second = (hashlib.sha256(path.read_bytes()).hexdigest() for path in weights)
    assert first == second


def test_corrected_patients_are_known_to_the_model_and_never_evaluated_on(
    lesson: Lesson, tmp_path: Path
) -> None:
    known = RunRecord(lesson.second).patients
    assert known is not None
    assert set(lesson.corrected) <= known.training
    assert len(known.training) == LEARNT + CORRECTED  # those of the first model, too
    with pytest.raises(CasesError) as refused:
        judged(lesson.exported, lesson.second, tmp_path / "set")
    assert len(refused.value.problems) == CORRECTED
    assert all(reason.endswith("for training only") for _, reason in refused.value.problems)
    with pytest.raises(StoreError, match="the part contains no case"):
        judged(lesson.exported.with_name("set.store"), lesson.second, tmp_path / "store")
    result = judged(lesson.cohort, lesson.second, tmp_path / "cohort")
    assert set(lesson.corrected) <= set(result.in_training)
    assert any("results are optimistic" in warning for warning in result.warnings)


def test_corrected_patients_stay_in_training_beside_their_own_references(
    lesson: Lesson, tmp_path: Path
) -> None:
    """In a store of the corrections and the whole cohort, the test part has none of them."""
    sources = (lesson.cohort, lesson.exported)
    prepare(PrepareOptions(sources=sources, out=tmp_path / "store", workers=1))
    split = open_store(tmp_path / "store").split
    assert set(lesson.corrected) <= set(split.holdout.train)
    for parts in (split.holdout, *split.folds):
        assert not set(lesson.corrected) & {*parts.validation, *parts.test}


def judged(source: Path, model: Path, out: Path) -> EvaluateResult:
    """Evaluates a model, without figures."""
    keys = {"source": source, "model": (model,), "out": out, "figures": 0, "report": False}
    return evaluate(EvaluateOptions.model_validate({**keys, "device": "cpu"}))
