"""Memory of a prediction: arrays that are needed no longer are gone."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from gliomask.alignment.study import AlignedStudy
from gliomask.core.case import Case, ImageFile
from gliomask.core.slices import to_slices
from gliomask.core.volume import Volume
from gliomask.formats.nifti import write_nifti
from gliomask.inference.predictor import Predictor
from gliomask.jobs.control import Control
from gliomask.studies import one_grid
from tests.fakes import HEAD_AFFINE, BrightEngine, fake_card

SHAPE = (96, 96, 96)
VOXELS = 96**3
SEQUENCES = ("t1", "t1ce", "t2", "flair")


def big_head() -> Volume:
    """Noise in a head that fills the volume, with a bright ball; 4 sequences of 3.5 MB."""
    image = np.random.default_rng(0).normal(100, 5, (4, *SHAPE)).astype(np.float32)
    image[:, :, :10] = image[:, :, -10:] = 0
    axes = np.ogrid[tuple(slice(-1, 1, n * 1j) for n in SHAPE)]
    image[3] += 200 * (sum(axis**2 for axis in axes) < 0.1)
    return Volume(image, HEAD_AFFINE, SEQUENCES)


def test_the_images_of_a_study_are_in_memory_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When T1 and T1ce are compared, only the volume is left (4 x 4 bytes a voxel)."""
    for name, image in zip(SEQUENCES, big_head().array, strict=True):
        write_nifti(tmp_path / f"{name}.nii", image.astype(np.int16), HEAD_AFFINE)
    files = {name: ImageFile((tmp_path / f"{name}.nii",)) for name in SEQUENCES}
    held: list[int] = []

    def compared(_case: Case, study: AlignedStudy, _control: Control) -> AlignedStudy:
        held.append(tracemalloc.get_traced_memory()[0])
        return study

    monkeypatch.setattr(one_grid, "check_contrast", compared)
    tracemalloc.start()
    study = one_grid.load_on_one_grid(Case("case", "patient", files))
    tracemalloc.stop()
    assert study.volume.sequences == SEQUENCES
    assert 16 * VOXELS <= held[0] < 20 * VOXELS


def test_the_slices_are_made_with_no_second_copy_of_the_volume() -> None:
    """At most: the slices themselves (4 x 4 bytes a voxel) and six copies of one sequence."""
    volume = big_head()
    tracemalloc.start()
    stack = to_slices(volume)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert stack.array.shape == (96, 4, 84, 96)
    assert peak < (16 + 6 * 4) * VOXELS


def test_a_prediction_needs_few_copies() -> None:
    """Beside the volume: the slices (16 bytes a voxel), the maps of three regions and their
    disagreement (12 each), and two batches of a slice; then what is worked out of them."""
    card = fake_card(
        in_channels=4,
        sequences=SEQUENCES,
        regions=("whole", "core", "enhancing"),
        size=96,
    )
    predictor = Predictor(BrightEngine(regions=3, batch=1), card)
    volume = big_head()
    tracemalloc.start()
    prediction = predictor.predict(volume, maps=True, uncertainty=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert prediction.probability_maps is not None
    assert prediction.disagreement_maps is not None
    assert prediction.mask.any()
    assert peak < 48 * VOXELS
