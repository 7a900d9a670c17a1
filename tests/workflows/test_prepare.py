"""A data set becomes a store: the same one whoever makes it, whole, or listed as what it lacks."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gliomask.core.geometry import to_reading
from gliomask.core.regions import region_masks
from gliomask.datasets.find import find_cases
from gliomask.datasets.layout import FoundCases
from gliomask.datasets.load import load_case
from gliomask.errors import CasesError, InputError, StoreError
from gliomask.jobs.processes import spread
from gliomask.store.store import open_store
from gliomask.workflows.prepare import PrepareOptions, PrepareResult, prepare
from tests.datasets import tiny


@pytest.fixture
def data(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    for number in range(6):
        tiny.brats(root, f"BraTS2021_0000{number}", 1, 2, 4)
    return root


def make(data: Path, out: Path, **options: object) -> PrepareResult:
    keys = {"sources": (data,), "out": out, "workers": 1, "folds": 3, **options}
    return prepare(PrepareOptions.model_validate(keys))


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_store_holds_every_case_with_its_mask(data: Path, tmp_path: Path) -> None:
    result = make(data, tmp_path / "store")
    store = open_store(tmp_path / "store")
    assert [case.id for case in store.cases] == [f"BraTS2021_0000{n}" for n in range(6)]
    assert result.made == 6
    assert store.manifest.sequences == ("t1", "flair")
    assert store.manifest.regions == ("whole", "core", "enhancing")
    case = find_cases(data).cases[0]
    _, labels = load_case(case)
    assert labels is not None
    turn = store.stack(case.id).record.turn
    np.testing.assert_array_equal(store.reference(case.id), to_reading(labels, turn))
    assert sum(store.cases[0].tumour_px) == region_masks(labels, ("whole",)).sum() == 12


def test_the_split_parts_the_patients(data: Path, tmp_path: Path) -> None:
    split = make(data, tmp_path / "store", shares=(0.5, 0.25, 0.25)).split
    assert [len(ids) for _, ids in split.holdout.named()] == [3, 2, 1] or sum(
        len(ids) for _, ids in split.holdout.named()
    ) == 6
    assert len(split.folds) == 3


def test_the_number_of_workers_changes_nothing(data: Path, tmp_path: Path) -> None:
    make(data, tmp_path / "a" / "store", workers=1)
    make(data, tmp_path / "b" / "store", workers=2)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_there_are_as_many_workers_as_the_container_may_run(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: list[int | None] = []

    def count(work: Any, jobs: Any, control: Any, workers: int | None) -> Any:
        counts.append(workers)
        return spread(work, jobs, control, 1)

    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    monkeypatch.setattr("gliomask.machine.processors.cpu_quota", lambda _: 1.5)
    monkeypatch.setattr("gliomask.workflows.prepare.spread", count)
    make(data, tmp_path / "a", workers=None)
    make(data, tmp_path / "b", workers=3)
    assert counts == [2, 3]


def test_it_goes_on_where_it_was(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "store"
    make(data, out)
    before = contents(out)
    shutil.rmtree(out / "patients" / "BraTS2021_00002.zarr")
    (out / "manifest.json").unlink()
    assert make(data, out).made == 1
    assert contents(out) == before


def test_a_patient_whose_files_changed_is_made_again(data: Path, tmp_path: Path) -> None:
    make(data, tmp_path / "store")
    tiny.scan(data / "BraTS2021_00001" / "BraTS2021_00001_t1.nii.gz", seed=77)
    assert make(data, tmp_path / "store").made == 1


def test_all_bad_cases_are_listed_at_once_and_no_store_appears(data: Path, tmp_path: Path) -> None:
    spoil(data)
    with pytest.raises(CasesError, match="2 cases can't be used, 4 can") as caught:
        make(data, tmp_path / "store")
    assert [case for case, _ in caught.value.problems] == ["BraTS2021_00001", "BraTS2021_00003"]
    with pytest.raises(StoreError, match="not a store"):
        open_store(tmp_path / "store")


def test_the_others_go_on_when_that_is_wanted(data: Path, tmp_path: Path) -> None:
    spoil(data)
    result = make(data, tmp_path / "store", skip_bad=True)
    assert len(result.manifest.cases) == 4
    assert [case for case, _ in result.skipped] == ["BraTS2021_00001", "BraTS2021_00003"]


def test_a_file_that_vanishes_costs_its_case_alone(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan = data / "BraTS2021_00003" / "BraTS2021_00003_t1.nii.gz"

    def find_and_lose(*words: Any) -> FoundCases:
        data_set = find_cases(*words)
        scan.unlink(missing_ok=True)
        return data_set

    monkeypatch.setattr("gliomask.workflows.prepare.find_cases", find_and_lose)
    result = make(data, tmp_path / "store", skip_bad=True)
    assert len(result.manifest.cases) == 5
    reason = f"{scan}: can't be read: No such file or directory"
    assert result.skipped == (("BraTS2021_00003", reason),)


@pytest.mark.parametrize("name", ["zarr.json", "BraTS2021_00002/zarr.json"])
def test_a_patient_whose_group_is_damaged_is_prepared_again(
    data: Path, tmp_path: Path, name: str
) -> None:
    out = tmp_path / "store"
    make(data, out)
    before = contents(out)
    (out / "patients" / "BraTS2021_00002.zarr" / name).write_bytes(b"")
    assert make(data, out).made == 1
    assert contents(out) == before


def spoil(data: Path) -> None:
    """One patient without a mask, one with a truncated scan."""
    (data / "BraTS2021_00001" / "BraTS2021_00001_seg.nii.gz").unlink()
    scan = data / "BraTS2021_00003" / "BraTS2021_00003_t1.nii.gz"
    scan.write_bytes(scan.read_bytes()[:-40])


def test_a_case_without_sequences_in_common_still_has_its_own(data: Path, tmp_path: Path) -> None:
    tiny.brats(data, "BraTS2021_00009", 1, sequences=("t2",))
    manifest = make(data, tmp_path / "store").manifest
    assert manifest.sequences == ("t1", "t2", "flair")
    assert manifest.cases[-1].sequences == ("t2",)


def test_two_sources_become_one_store_and_share_their_patients(tmp_path: Path) -> None:
    patient = "TCGA_CS_4941_19960909"
    tiny.kaggle(tmp_path / "kaggle", patient)
    tiny.brats(tmp_path / "brats", "BraTS2021_00000", 1, 2, 4)
    both = make(tmp_path / "kaggle", tmp_path / "one", sources=(tmp_path / "kaggle",) * 2)
    assert {case.patient for case in both.manifest.cases} == {"TCGA-CS-4941"}
    assert len({case.id for case in both.manifest.cases}) == 2
    mixed = make(tmp_path, tmp_path / "two", sources=(tmp_path / "kaggle", tmp_path / "brats"))
    assert mixed.manifest.regions == ("whole", "core", "enhancing")
    labelled = {case.source: case.regions for case in mixed.manifest.cases}
    assert labelled == {"lgg_kaggle": ("whole",), "brats": ("whole", "core", "enhancing")}


def test_a_split_of_one_s_own(data: Path, tmp_path: Path) -> None:
    make(data, tmp_path / "one", seed=5)
    given = make(data, tmp_path / "two", split=tmp_path / "one" / "split.json")
    assert given.split.seed == 5


def test_a_split_that_does_not_know_a_patient_is_refused(data: Path, tmp_path: Path) -> None:
    make(data, tmp_path / "one")
    tiny.brats(data, "BraTS2021_00007", 1, 2, 4)
    with pytest.raises(StoreError, match="'BraTS2021_00007' is in the data but not the split"):
        make(data, tmp_path / "two", split=tmp_path / "one" / "split.json")


def test_a_folder_that_holds_something_else_is_left_alone(data: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1.tex").touch()
    with pytest.raises(InputError, match="something other than a store"):
        make(data, tmp_path / "thesis")
    assert contents(tmp_path / "thesis") == {"chapter1.tex": b""}


def test_the_folder_of_the_store_is_checked_before_the_data(tmp_path: Path) -> None:
    (tmp_path / "store").symlink_to("nowhere")
    with pytest.raises(InputError, match=r"store: a link to a folder that does not exist"):
        make(tmp_path / "no data", tmp_path / "store")


def test_a_store_of_other_patients_is_left_alone(data: Path, tmp_path: Path) -> None:
    make(data, tmp_path / "store")
    shutil.rmtree(data / "BraTS2021_00000")
    with pytest.raises(StoreError, match="patients that are not in the source"):
        make(data, tmp_path / "store")


def test_shares_must_sum_to_one(data: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="sum to 1"):
        make(data, tmp_path / "store", shares=(0.5, 0.1, 0.1))


@pytest.fixture
def hospitals(tmp_path: Path) -> Path:
    """Six patients of a hospital CS, five of DU, one of EZ and one of FG, by their barcodes."""
    root = tmp_path / "hospitals"
    for k, site in enumerate(["CS"] * 6 + ["DU"] * 5 + ["EZ", "FG"]):
        tiny.kaggle(root, f"TCGA_{site}_{4000 + k}_19960909", slices=2)
    return root


def test_folds_by_site(hospitals: Path, tmp_path: Path) -> None:
    made = make(hospitals, tmp_path / "store", fold_by="site", folds=5).split
    assert made.fold_names == ("CS", "DU", "EZ + FG")
    assert [len(fold.test) for fold in made.folds] == [6, 5, 2]
    store = open_store(tmp_path / "store")
    assert store.split == made
    assert store.parts(1).test == tuple(
        f"TCGA_DU_40{k}_19960909" for k in ("06", "07", "08", "09", "10")
    )


def test_the_split_of_another_store_keeps_its_sites(hospitals: Path, tmp_path: Path) -> None:
    make(hospitals, tmp_path / "one", fold_by="site")
    given = make(hospitals, tmp_path / "two", split=tmp_path / "one" / "split.json")
    assert given.split.fold_names == ("CS", "DU", "EZ + FG")


def test_one_site_is_refused_before_anything_is_prepared(data: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is brats \(6 patients\).*use `fold_by=size`"):
        make(data, tmp_path / "store", fold_by="site")
    assert not (tmp_path / "store").exists()
