"""Made heads: a skull-stripped brain in the head of another patient, and their place in a split."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from benchmarks.accuracy.made_heads.add_to_store import add
from benchmarks.accuracy.made_heads.donors import CHANNELS, Head
from benchmarks.accuracy.made_heads.whole_heads import KINDS, Brain, Donor, Kind, join
from gliomask.core.case import Case

BRAIN, TUMOUR, DONOR_BRAIN, SKULL = 100, 300, 50, 200
SIDE = 64
BOTTOM, TOP = 12, 52


def disc(radius: float) -> npt.NDArray[np.bool_]:
    """A disc in the middle of a slice."""
    i, j = np.indices((SIDE, SIDE)) - (SIDE - 1) / 2
    return np.asarray(i**2 + j**2 < radius**2)


def notched() -> npt.NDArray[np.bool_]:
    """A brain of 20 mm whose middle of one side is missing."""
    brain = disc(20)
    brain[28:36, 46:] = False
    brain[31:33, 46:] = disc(20)[31:33, 46:]  # so that its box is that of the disc
    return brain


@pytest.fixture
def brain() -> Brain:
    """The notched brain in 40 of 64 slices, with a tumour of 6 mm."""
    inside = np.zeros((SIDE, SIDE, SIDE), bool)
    inside[..., BOTTOM:TOP] = notched()[..., None]
    tumour = inside & disc(6)[..., None]
    image = np.where(tumour, TUMOUR, inside * BRAIN).astype(np.float32)
    images = dict.fromkeys(("t1", "t2", "flair"), image)
    return Brain("b", "p", images, (3 * tumour).astype(np.uint8), inside)


@pytest.fixture
def donor() -> Donor:
    """A brain of 16 pixels in a head of 19 pixels, the same in ten slices."""
    inside = disc(16)
    image = np.where(inside, DONOR_BRAIN, SKULL * disc(19)).astype(np.uint8)
    images = dict.fromkeys(CHANNELS, np.stack([image] * 10, axis=2))
    head = Head(Case("d", "q", {}), images, np.zeros((SIDE, SIDE, 10), bool))
    return Donor(head, np.stack([inside] * 10, axis=2))


def middle(brain: Brain, donor: Donor, kind: Kind, name: str) -> npt.NDArray[np.float32]:
    images, labels = join(brain, donor, kind, 4, np.random.default_rng(0))
    assert images[name].shape == labels.shape
    index = labels.shape[2] // 2
    assert (labels[..., index] == 3 * disc(6)).all()
    return images[name][..., index]


def test_brain_and_head_have_the_level_of_the_brain(brain: Brain, donor: Donor) -> None:
    """The median of the brain is 500. The skull, at 16 / 0.8 to 19 / 0.8 mm, is 4 times as bright
    as its own brain.
    """
    image = middle(brain, donor, KINDS[1], "flair")
    assert np.allclose(image[disc(4)], 1500, rtol=0.01)
    assert np.allclose(image[disc(12) & ~disc(8)], 500, rtol=0.01)
    assert np.allclose(image[disc(22.6) & ~disc(21.8)], 2000, rtol=0.01)
    assert (image[~disc(26)] == 0).all()


@pytest.mark.parametrize(("name", "level"), [("t1", 280), ("flair", 220), ("t2", 1000)])
def test_what_the_brain_leaves_is_fluid(
    brain: Brain, donor: Donor, name: str, level: float
) -> None:
    """T1: 0.8 * 0.45 * 500 of fluid, 0.2 * 500 of the donor's brain; T2: 2 * 500 of fluid."""
    image = middle(brain, donor, KINDS[1], name)
    notch = disc(18) & ~notched()
    assert notch.sum() > 10
    assert np.isclose(np.median(image[notch]), level, rtol=0.2)


def test_h1_has_no_t2(brain: Brain, donor: Donor) -> None:
    images, _ = join(brain, donor, KINDS[0], 4, np.random.default_rng(0))
    assert set(images) == {"t1", "flair"}


def test_a_made_head_is_trained_where_its_patient_is(tmp_path: Path) -> None:
    folds = [{"train": ["p"], "test": ["q"]}, {"train": ["q"], "test": ["p"]}]
    split = {"train": ["p"], "test": ["q"], "folds": folds}
    cases = {"store": {"b": "p", "c": "q"}, "made": {"H1-b": "H1-b", "H2-c": "H2-c"}}
    for name, patients in cases.items():
        (tmp_path / name / "patients" / f"{name}.zarr").mkdir(parents=True)
        listed = [{"id": case, "patient": patients[case], "source": "x"} for case in patients]
        manifest = {"name": name, "cases": listed, "crossing": []}
        (tmp_path / name / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "store" / "split.json").write_text(json.dumps(split))
    add(tmp_path / "store", tmp_path / "out", {"heads": tmp_path / "made"})
    written = json.loads((tmp_path / "out" / "split.json").read_text())
    assert [fold["train"] for fold in written["folds"]] == [["H1-b", "p"], ["H2-c", "q"]]
    assert [fold["test"] for fold in written["folds"]] == [["q"], ["p"]]
    sources = json.loads((tmp_path / "out" / "manifest.json").read_text())["cases"]
    assert {case["id"]: case["source"] for case in sources} == {
        "H1-b": "heads",
        "H2-c": "heads",
        "b": "x",
        "c": "x",
    }
    assert {path.name for path in (tmp_path / "out" / "patients").iterdir()} == {
        "store.zarr",
        "made.zarr",
    }
