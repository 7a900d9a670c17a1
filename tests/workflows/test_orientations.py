"""A head in all 48 orders of its axes, upright, oblique and in thick slices, file in to mask out.

The mask must be the same set of places in the patient, and its affine that of the input.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from gliomask.core.volume import Affine, Volume
from gliomask.formats.nifti import read_nifti_labels
from gliomask.workflows.predict import PredictOptions, predict_files
from tests.alignment.grids import turned
from tests.fakes import HEAD_AFFINE, FakeModel, head_volume, write_head

ORDERS = [
    (axes, tuple(axis for axis in range(3) if reversed_[axis]))
    for axes in itertools.permutations(range(3))
    for reversed_ in itertools.product((False, True), repeat=3)
]
_PLACE = np.array([[1, 0, 0, 5], [0, 1.25, 0, -7], [0, 0, 3, 11], [0, 0, 0, 1.0]])
"""Numbers that single precision holds exactly."""
WORLDS: dict[str, Affine] = {
    "upright": _PLACE,
    "oblique": turned(17, (1, -2, 3)) @ _PLACE,
    "thick": _PLACE @ np.diag([1, 0.8, 2, 1]),
}
NAME = "BraTS-GLI-00001-000"


def placed(axes: tuple[int, ...], flips: tuple[int, ...], world: Affine) -> Volume:
    """The head in another order of axes, in a world of our choice."""
    volume = head_volume(axes, flips)
    order = np.rint(np.linalg.solve(HEAD_AFFINE, volume.affine))  # from its voxels to the head's
    return replace(volume, affine=world @ order)


def predicted(folder: Path, volume: Volume) -> tuple[npt.NDArray[np.integer], Affine]:
    """The mask that ``predict`` writes for files of this volume."""
    write_head(folder / "in", NAME, volume)
    options = PredictOptions(
        inputs=(folder / "in",), out=folder / "out", model=Path("fake"), write=("nifti",)
    )
    (case,) = predict_files(options).cases
    return read_nifti_labels(folder / "out" / f"{case.case}_mask.nii.gz")


def voxels_of_head(
    mask: npt.NDArray[np.integer], affine: Affine, world: Affine
) -> set[tuple[int, ...]]:
    """Which voxels of the head in its own order of axes a mask marks, by place in the world."""
    points = np.argwhere(mask) @ affine[:3, :3].T + affine[:3, 3]
    index = (points - world[:3, 3]) @ np.linalg.inv(world[:3, :3]).T
    assert np.abs(index - np.rint(index)).max() < 1e-4
    return set(map(tuple, np.rint(index).astype(int).tolist()))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[tuple[int, ...]]]:
    """The voxels found when the axes run to the right, the front and the head."""

    found = {}
    for kind, world in WORLDS.items():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("gliomask.segmentation.segmenter.load_predictor", FakeModel(size=64))
            volume = placed((0, 1, 2), (), world)
            mask, _ = predicted(tmp_path_factory.mktemp(kind), volume)
        found[kind] = voxels_of_head(mask, volume.affine, world)
    return found


@pytest.mark.parametrize(
    ("axes", "flips", "kind"),
    [
        # Oblique is the general case; of the others every seventh order will do, which is coprime
        # to the eight flips of an order of axes.
        *((*order, "oblique") for order in ORDERS),
        *((*order, kind) for kind in ("upright", "thick") for order in ORDERS[::7]),
    ],
)
def test_the_mask_is_at_the_same_place_in_the_patient(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    plain: dict[str, set[tuple[int, ...]]],
    axes: tuple[int, ...],
    flips: tuple[int, ...],
    kind: str,
) -> None:
    monkeypatch.setattr("gliomask.segmentation.segmenter.load_predictor", FakeModel(size=64))
    volume = placed(axes, flips, WORLDS[kind])
    mask, affine = predicted(tmp_path, volume)
    assert mask.shape == volume.shape
    assert np.abs(affine - volume.affine).max() <= (1e-5 if kind == "oblique" else 0)
    assert len(plain[kind]) > 60  # of the 90 of the bright box
    assert np.count_nonzero(mask) == len(plain[kind])
    assert voxels_of_head(mask, affine, WORLDS[kind]) == plain[kind]
