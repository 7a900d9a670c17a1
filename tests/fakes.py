"""A stand-in for a network, and a head for it to look at, for tests of what lies around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gliomask.core.labels import LabelArray
from gliomask.core.slices import VERSION
from gliomask.core.volume import Affine, FloatArray, Volume
from gliomask.formats.nifti import write_nifti
from gliomask.formats.pictures import write_picture
from gliomask.inference.predictor import Predictor
from gliomask.nets.cards import ModelCard


@dataclass
class BrightEngine:
    """Logits from the last channel's intensity, one for each region, falling inwards."""

    level: float = 2.0
    regions: int = 1
    batch: int = 3
    name: str = "fake"
    apart: float = 0.0
    """By how much the logits of each side map are lower than those of the one before it."""
    shapes: list[tuple[int, ...]] = field(default_factory=list)

    def logits(self, inputs: FloatArray) -> FloatArray:
        if not len(inputs):
            raise ValueError("no engine takes nothing")
        self.shapes.append(inputs.shape)
        maps = [10 * (inputs[:, -1:] - self.level - k) for k in range(self.regions)]
        return np.concatenate(maps, axis=1).astype(np.float32)

    def maps(self, inputs: FloatArray) -> FloatArray:
        fused = self.logits(inputs)
        return np.stack([fused - np.float32(k * self.apart) for k in range(7)], axis=1)


def fake_card(**changes: object) -> ModelCard:
    keys: dict[str, object] = {
        "name": "fake",
        "network": "u2net-tiny",
        "in_channels": 2,
        "regions": ("whole",),
        "sequences": ("t1", "flair"),
        "size": 32,
        "preprocess": {"version": VERSION},
        "synthetic": False,
        "trained_on": "nothing",
        "licence": "none",
    }
    return ModelCard.model_validate({**keys, **changes})


def head(shape: tuple[int, int, int] = (24, 20, 8)) -> FloatArray:
    """A head (RAS axes) with a bright box in the right front upper part: (2, I, J, K)."""
    image = np.random.default_rng(0).normal(0, 1, (2, *shape)).astype(np.float32)
    image[:, 3:21, 3:17] += 100 + 10 * image[:, 3:21, 3:17]
    image[1, 12:18, 10:15, 4:7] += 80
    return image


HEAD_AFFINE = np.array([[1, 0, 0, 5], [0, 1.2, 0, -7], [0, 0, 3, 11], [0, 0, 0, 1]], np.float64)


def head_volume(axes: Sequence[int] = (0, 1, 2), flips: Sequence[int] = ()) -> Volume:
    """The head with these voxel axes permuted and reversed, at the same place in the world."""
    image, affine = head(), HEAD_AFFINE.copy()
    for axis in flips:
        image = np.flip(image, axis + 1)
        affine[:3, 3] += affine[:3, axis] * (image.shape[axis + 1] - 1)
        affine[:3, axis] *= -1
    moved = image.transpose(0, *(axis + 1 for axis in axes))
    affine[:3, :3] = affine[:3, :3][:, list(axes)]
    return Volume(np.ascontiguousarray(moved), affine, ("t1", "flair"))


def tall_head_volume() -> Volume:
    """The head 100 times above itself, which takes much longer to segment than to cancel that."""
    volume = head_volume()
    return replace(volume, array=np.tile(volume.array, (1, 1, 1, 100)))


def world_points(mask: npt.NDArray[np.generic], affine: Affine) -> set[tuple[float, ...]]:
    """World coordinates of the voxels of a mask, in mm."""
    index = np.argwhere(mask)
    return set(map(tuple, np.round(index @ affine[:3, :3].T + affine[:3, 3], 6).tolist()))


def head_labels(axes: Sequence[int] = (0, 1, 2), flips: Sequence[int] = ()) -> LabelArray:
    """The box in the head as a mask (I, J, K) of ones, in the same order of axes."""
    mask = np.zeros(head().shape[1:], np.uint8)
    mask[12:18, 10:15, 4:7] = 1
    return np.ascontiguousarray(np.flip(mask, tuple(flips)).transpose(tuple(axes)))


def write_head(folder: Path, case: str, volume: Volume, mask: LabelArray | None = None) -> Path:
    """A head in the layout of BraTS 2023 (a mask of ones is necrosis there): its folder."""
    kinds = {"t1": "t1n", "t1ce": "t1c", "flair": "t2f"}
    for name, image in zip(volume.sequences, volume.array, strict=True):
        write_nifti(folder / case / f"{case}-{kinds[name]}.nii.gz", image, volume.affine)
    if mask is not None:
        write_nifti(folder / case / f"{case}-seg.nii.gz", mask, volume.affine)
    return folder / case


def write_picture_head(folder: Path, case: str) -> Path:
    """The head as a folder of pictures for each sequence: ``t1/1.png`` ... ``flair/8.png``."""
    volume = head_volume()
    for name, image in zip(volume.sequences, volume.array, strict=True):
        scaled = (255 * (image - image.min()) / np.ptp(image)).astype(np.uint8)
        for k in range(scaled.shape[2]):
            picture = np.ascontiguousarray(scaled[::-1, ::-1, k].T)  # shown as radiologists do
            write_picture(folder / case / name / f"{k + 1}.png", picture)
    return folder / case


class FakeModel:
    """Stands in for ``load_predictor``: every name is the model that marks what is bright."""

    def __init__(self, level: float = 2.0, **changes: object) -> None:
        self.engine, self.card = BrightEngine(level), fake_card(**changes)

    def __call__(self, _model: str, *_how: object) -> Predictor:
        return Predictor(self.engine, self.card)
