"""Every reader through one suite: a synthetic cohort in its layout comes back equal."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from gliomask.core.case import Case
from gliomask.core.geometry import Element, orientation, to_reading
from gliomask.core.labels import LabelArray
from gliomask.core.regions import region_masks
from gliomask.core.volume import SEQUENCES, Volume
from gliomask.datasets.find import LAYOUTS, find_cases
from gliomask.datasets.layout import FoundCases
from gliomask.datasets.load import load_case
from gliomask.datasets.names import is_mask
from gliomask.errors import LayoutError
from gliomask.phantom.cohort import LAYOUTS as WRITERS
from gliomask.phantom.cohort import PatientOptions, synthetic_patient, write_cohort

PATIENTS, SEED = 2, 11
OPTIONS = PatientOptions(matrix=40, slices=10, slice_mm=12, enhancing=1)


@dataclass(frozen=True)
class Expected:
    """What a reader must make of a written layout."""

    layout: str
    sequences: tuple[str, ...] = SEQUENCES
    regions: tuple[str, ...] = ("whole", "core", "enhancing")
    sparse: bool = False
    one_slice: bool = False
    """Only the slice with the largest core is in the set."""


READERS = {
    "lgg_kaggle": Expected("lgg_kaggle", ("t1", "t1ce", "flair"), ("whole",)),
    "lgg_1p19q": Expected("lgg_1p19q", ("t1ce", "t2"), ("whole",), sparse=True),
    "tcga_lgg": Expected("tcga_lgg"),
    "brats": Expected("brats"),
    "brats2017": Expected("brats"),
    "brats2018": Expected("brats"),
    "brats2020": Expected("brats"),
    "brats2023": Expected("brats"),
    "brats2024": Expected("brats"),
    "brats_ssa": Expected("brats"),
    "upenn_gbm": Expected("upenn_gbm"),
    "ucsf_pdgm": Expected("ucsf_pdgm"),
    "figshare_cheng": Expected("figshare_cheng", ("t1ce",), ("core",), one_slice=True),
    "nnunet": Expected("nnunet"),
    "msd": Expected("nnunet"),
    "bids": Expected("bids", regions=("whole",)),
    "table": Expected("table"),
}


@lru_cache
def patient(index: int, skull: bool) -> tuple[Volume, LabelArray]:
    """What the phantom made, the truth of every layout."""
    return synthetic_patient(SEED, replace(OPTIONS, skull=skull), index)


@pytest.fixture(scope="module", params=READERS)
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a layout, written once."""
    name: str = request.param
    folder = tmp_path_factory.getbasetemp() / name
    write_cohort(folder, name, PATIENTS, SEED, options=OPTIONS)
    return name


@pytest.fixture(scope="module")
def root(written: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where it was written."""
    return tmp_path_factory.getbasetemp() / written


@pytest.fixture(scope="module")
def found(root: Path) -> FoundCases:
    """What its reader finds; it is not changed."""
    return find_cases(root)


def test_every_writer_has_its_expectation_and_every_reader_is_tried() -> None:
    assert READERS.keys() == WRITERS.keys()
    assert {expected.layout for expected in READERS.values()} == {layout.name for layout in LAYOUTS}


def test_it_is_recognised(written: str, found: FoundCases) -> None:
    assert found.layout == READERS[written].layout
    assert not found.problems
    assert not found.left_out
    assert found.explanation


def test_it_is_recognised_from_above(root: Path, found: FoundCases, tmp_path: Path) -> None:
    shutil.copytree(root, tmp_path / "one" / "two")
    assert [case.id for case in find_cases(tmp_path).cases] == [case.id for case in found.cases]


def test_its_cases(written: str, found: FoundCases) -> None:
    expected = READERS[written]
    assert len(found.cases) == PATIENTS
    assert len({case.id for case in found.cases}) == PATIENTS
    assert len({case.patient for case in found.cases}) == PATIENTS
    for case in found.cases:
        assert tuple(case.images) == expected.sequences
        assert case.regions == expected.regions
        assert case.sparse is expected.sparse
        assert case.synthetic
        assert case.source == expected.layout
        assert case.label is not None


def upright(array: npt.NDArray[Element], volume: Volume) -> npt.NDArray[Element]:
    """In the reading frame, where the layouts' ways of storing arrays don't matter."""
    return to_reading(array, orientation(volume.affine))


def test_its_images(written: str, found: FoundCases) -> None:
    for index, case in enumerate(by_patient(found)):
        volume, _ = load_case(case)
        truth, _ = patient(index, WRITERS[written].skull)
        assert volume.array.dtype == np.float32
        assert np.isfinite(volume.array).all()
        assert volume.has_world == (written not in ("lgg_kaggle", "figshare_cheng"))
        kept = kept_slices(written, index)
        for name, image in zip(volume.sequences, volume.array, strict=True):
            right = upright(truth.select((name,)).array[0], truth)[kept].ravel()
            likeness = np.corrcoef(upright(image, volume).ravel(), right)[0, 1]
            assert likeness > 0.999


def test_its_labels(written: str, found: FoundCases) -> None:
    regions = READERS[written].regions
    for index, case in enumerate(by_patient(found)):
        volume, labels = load_case(case)
        truth, right = patient(index, WRITERS[written].skull)
        assert labels is not None
        assert labels.dtype == np.uint8
        assert labels.shape == volume.shape
        assert labels.any()
        masks = region_masks(upright(labels, volume), regions)
        wanted = region_masks(upright(right, truth)[kept_slices(written, index)], regions)
        if case.sparse:
            annotated = masks.any(axis=(0, 2, 3))
            assert annotated.sum() == 3
            masks, wanted = masks[:, annotated], wanted[:, annotated]
        assert np.array_equal(masks, wanted)


def test_a_lost_mask_is_one_problem(root: Path, found: FoundCases, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(root, copy)
    victim = found.cases[0]
    assert victim.label is not None
    of_images = {path for file in victim.images.values() for path in file.paths}
    for path in victim.label.paths:
        copied = copy / path.relative_to(root)
        copied.unlink()
        if path in of_images:
            copied.write_bytes(b"damaged")
    for other in filter(lambda path: victim.id in path.name and is_mask(path.name), files(copy)):
        other.unlink()  # the automatic mask, which would take its place
    after = find_cases(copy)
    assert [case.id for case in after.cases] == [case.id for case in found.cases[1:]]
    assert len(after.problems) == 1
    assert "\n" not in after.problems[0].reason


@pytest.mark.parametrize("make", [Path.mkdir, lambda path: (path / "a" / "b").mkdir(parents=True)])
def test_an_empty_folder_names_every_layout(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "empty")
    with pytest.raises(LayoutError) as refusal:
        find_cases(tmp_path / "empty")
    assert all(f"{layout.name}: no " in str(refusal.value) for layout in LAYOUTS)


def kept_slices(written: str, index: int) -> slice:
    """The slices of a patient (in the reading frame) that the layout holds."""
    if not READERS[written].one_slice:
        return slice(None)
    volume, labels = patient(index, WRITERS[written].skull)
    areas = region_masks(upright(labels, volume), ("core",))[0].sum(axis=(1, 2))
    k = int(np.argmax(areas))
    return slice(k, k + 1)


def files(folder: Path) -> list[Path]:
    """All files below a folder."""
    return [path for path in folder.rglob("*") if path.is_file()]


def by_patient(found: FoundCases) -> list[Case]:
    """The cases in the order in which the phantom made the patients."""
    return sorted(found.cases, key=lambda case: case.patient)
