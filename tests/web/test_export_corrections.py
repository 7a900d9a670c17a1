"""Corrections that teach: approved, exported, prepared, learned from, and never judged by."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from gliomask.datasets.find import find_cases
from gliomask.evaluation.reference_cases import find_subjects
from gliomask.formats.nifti import read_nifti_labels
from gliomask.provenance.patients import training_overlap
from gliomask.provenance.run_record import RunRecord
from gliomask.store.store import open_store
from gliomask.web.service import Service
from gliomask.workflows.prepare import PrepareOptions, prepare
from gliomask.workflows.train import TrainOptions, train
from tests.commands import run
from tests.training import TINY
from tests.web.corrected import a_mask, base_of, done_job, nifti
from tests.web.service import API, client, token_of


def correct(service: Service, job: str, folder: Path, voxel: int, *, approved: bool) -> None:
    """One voxel more, approved by another reader."""
    ann = client(service, token_of(service))
    bob = client(service, token_of(service, "bob", "review"))
    mask = a_mask()
    mask[5, voxel, 4] = 2
    content = nifti(folder, mask)
    base = {"base": base_of(ann, job)}
    made = ann.put(f"{API}/jobs/{job}/correction", params=base, content=content).json()
    if approved:
        place = f"{API}/jobs/{job}/correction/{made['number']}/approval"
        assert bob.post(place).status_code == 201


def export(monkeypatch: pytest.MonkeyPatch, service: Service, out: Path) -> int:
    data = service.folder.root
    return run(monkeypatch, "serve", "export-corrections", "--data", data, "--out", out)


def test_only_what_is_approved_is_exported_and_the_newest(
    service: Service,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "set"
    assert export(monkeypatch, service, out) == 2
    assert "no correction is approved" in capsys.readouterr().err
    first = done_job(service, case="TCGA_CS_4941_19960909", patient="TCGA-CS-4941")
    correct(service, first, tmp_path, 1, approved=True)
    correct(service, first, tmp_path, 2, approved=True)
    correct(service, first, tmp_path, 3, approved=False)
    other = done_job(service, case="p2", patient="p2")
    correct(service, other, tmp_path, 1, approved=False)
    assert export(monkeypatch, service, out) == 0
    assert "1 cases of 1 patients" in capsys.readouterr().out
    found = find_cases(out)
    (case,) = found.cases
    assert found.layout == "table"
    assert (case.id, case.patient) == (f"TCGA_CS_4941_19960909-{first[:8]}", "TCGA-CS-4941")
    assert (case.regions, case.training_only) == (("whole", "core", "enhancing"), True)
    assert case.label is not None
    mask, _ = read_nifti_labels(case.label.paths[0])
    expected = a_mask()
    expected[5, 2, 4] = 2
    np.testing.assert_array_equal(mask, expected)
    assert "For research use only" in (out / "README.txt").read_text()
    subjects = find_subjects(out, None, None)
    assert subjects.subjects == ()
    assert subjects.problems[0][1].endswith("for training only")
    correct(service, other, tmp_path, 4, approved=True)
    notes = out / case.id / "notes.txt"
    notes.write_text("a file of the user")
    assert export(monkeypatch, service, out) == 2
    assert notes.exists()
    notes.unlink()
    assert export(monkeypatch, service, out) == 0  # the same images once more: the newest counts
    (case,) = find_cases(out).cases
    assert case.patient == "p2"


def test_a_model_learns_from_them_and_says_so(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda file: None)
    monkeypatch.setattr("gliomask.workflows.train.draw_curves", lambda run, note: [])
    job = done_job(service, case="sub-01_ses-1", patient="sub-01")
    correct(service, job, tmp_path, 1, approved=True)
    assert export(monkeypatch, service, tmp_path / "set") == 0
    prepare(PrepareOptions(sources=(tmp_path / "set",), out=tmp_path / "store", workers=1))
    store = open_store(tmp_path / "store")
    assert (store.split.holdout.train, store.split.folds) == (("sub-01",), ())
    keys = {"store": store.path, "changes": (*TINY, "epochs=1"), "all_patients": True}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for name, more in (("base", {}), ("run", {"start": tmp_path / "base"})):
            options = {**keys, **more, "out": tmp_path / name, "device": "cpu"}
            train(TrainOptions.model_validate(options))
    finally:
        torch.set_num_threads(threads)
    overlap, warnings = training_overlap(RunRecord(tmp_path / "run").patients, {"sub-01", "sub-02"})
    assert overlap == ("sub-01",)
    assert len(warnings) == 1
