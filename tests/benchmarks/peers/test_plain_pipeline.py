"""The plain pipeline does what it says."""

from __future__ import annotations

import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch
from torch import nn

from benchmarks.examinations import make_nifti
from benchmarks.peers import plain_pipeline
from benchmarks.random_model import random_model

pytest.importorskip("skimage", reason="the plain pipeline needs scikit-image")


class Bright(nn.Module):
    """Calls tumour what is bright in the first channel."""

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return (100 * (x[:, :1] - 0.5),)


def test_a_volume_is_normalised_over_the_head(tmp_path: Path) -> None:
    values = np.array([0.0, 0.0, 2.0, 4.0, 6.0, 8.0]).reshape(1, 2, 3)
    nibabel.save(nibabel.Nifti1Image(values, np.diag([2.0, 1, 1, 1])), tmp_path / "a.nii.gz")
    found, affine = plain_pipeline.read(tmp_path / "a.nii.gz")
    # Of 2, 4, 6, 8: mean 5, deviation the root of 5.
    np.testing.assert_allclose(found.ravel()[2:], np.array([-3, -1, 1, 3]) / np.sqrt(5))
    assert affine[0, 0] == 2


def test_each_slice_goes_through_the_network_and_back() -> None:
    volume = np.zeros((1, 12, 10, 3))
    volume[0, :, :5, 1] = 1.0
    found = plain_pipeline.segment(Bright(), volume, 24, logits=True)
    assert found.shape == (12, 10, 3)
    np.testing.assert_array_equal(found >= 0.5, volume[0] > 0)


def test_a_mask_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.random.default_rng(0).normal(size=(4, 1, 32, 32)).astype(np.float32)
    model = random_model(tmp_path / "model", "u2net-tiny", images, ("flair",))
    case = make_nifti(tmp_path / "case", (24, 20, 4), ("flair",))
    out = tmp_path / "mask.nii.gz"
    words = ["plain_pipeline", *map(str, case.iterdir()), "--model", str(model), "--out", str(out)]
    monkeypatch.setattr(sys, "argv", words)
    plain_pipeline.main()
    mask = np.asanyarray(nibabel.load(out).dataobj)  # type: ignore[attr-defined]
    assert mask.shape == (24, 20, 4)
    assert set(np.unique(mask)) <= {0.0, 1.0}
