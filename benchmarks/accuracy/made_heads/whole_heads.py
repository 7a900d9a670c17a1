"""Skull-stripped brains with tumours in the heads of LGG patients, as a data set for training.

    python -m benchmarks.accuracy.made_heads.whole_heads KAGGLE_3M MASKS SPLIT OUT STRIPPED...

STRIPPED are folders of BraTS and UPENN-GBM with masks of three regions, MASKS the brain masks of
the LGG set KAGGLE_3M (``donors``). SPLIT is a split with folds: brain and head are of patients in
the test part of the same fold, so no fold is trained with the head of its own test patients. OUT
can be given to ``gliomask prepare``. Two heads are made for each brain: H1 of thick slices without
T2, like the LGG set, and H2 of thin slices with a made-up T2 (outside the brain FLAIR, with bright
fluid).

In each slice the head is scaled until its brain has the size of the other one; what is left between
brain and skull becomes fluid.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from benchmarks.accuracy.made_heads.donors import Head, brain_mask, heads
from gliomask.core.csv_table import csv_text
from gliomask.datasets.find import find_cases
from gliomask.datasets.table import COLUMNS

FLUID = {"t1": 0.45, "t1ce": 0.5, "flair": 0.3, "t2": 2.0}
"""Signal of fluid, relative to the median of the brain."""
LEAST_BRAIN = 0.04
"""Slices with less than this share of the largest slice of the brain are outside of it."""
LEAST_PX = 200
"""A slice with less brain has none."""
BRAIN_LEVEL = 500
"""Median of the brain in the files."""
HALF = 0.5
LABELS = "1=necrosis,2=oedema,3=enhancing"
Image = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Brain:
    """A skull-stripped examination; arrays are (I, J, K), to the right, anterior and superior.

    Attributes:
        case, patient: its names.
        images: sequence -> intensities.
        labels: as ``LABELS``; 0 is no tumour.
        mask: the brain.
    """

    case: str
    patient: str
    images: dict[str, Image]
    labels: npt.NDArray[np.uint8]
    mask: Mask


@dataclass(frozen=True, eq=False)
class Donor:
    """A head and its brain mask."""

    head: Head
    brain: Mask

    def image(self, sequence: str) -> npt.NDArray[np.uint8]:
        """The image that the outside of the brain is taken from."""
        return self.head.images["flair" if sequence == "t2" else sequence]


@dataclass(frozen=True)
class Kind:
    """A procedure for heads.

    Attributes:
        name: first part of the names of the cases.
        t2: whether they have T2.
        steps: the least distance of their slices in mm, and the most.
        thick: slices are means of three slices.
    """

    name: str
    t2: bool
    steps: tuple[int, int]
    thick: bool


KINDS = Kind("H1", False, (3, 5), True), Kind("H2", True, (4, 6), False)


def brains(folders: Sequence[Path]) -> Iterator[Brain]:
    """The examinations in the folders, in the order of their names in each."""
    for folder in folders:
        for case in sorted(find_cases(folder).cases, key=lambda case: case.id):
            if case.label is None:
                continue
            images = {name: _array(file.paths[0]) for name, file in case.images.items()}
            labels = _array(case.label.paths[0]).round().astype(np.uint8)
            labels[labels == 4] = 3
            yield Brain(case.id, case.patient, images, labels, _brain_of(images))


def join(
    brain: Brain, donor: Donor, kind: Kind, step: int, rng: np.random.Generator
) -> tuple[dict[str, Image], npt.NDArray[np.uint8]]:
    """Images and labels, (I, J, slices), of the brain in the head, every ``step`` mm."""
    levels = {
        name: (
            float(np.median(image[brain.mask & (brain.labels == 0)])),
            float(np.median(donor.image(name)[donor.brain])),
        )
        for name, image in brain.images.items()
        if kind.t2 or name != "t2"
    }
    images: dict[str, list[Image]] = {name: [] for name in levels}
    labels = []
    for z, fit in _slices(brain.mask, donor.brain, step):
        inside = brain.mask[..., z] & (brain.mask[..., z].sum() >= LEAST_PX)
        own = fit(donor.brain) > HALF
        gap = ndimage.binary_dilation(own) & ~inside
        weight = ndimage.gaussian_filter(inside.astype(np.float32), 0.6)
        thick = slice(max(0, z - 1), z + 2) if kind.thick else slice(z, z + 1)
        for name, (level, level_of_donor) in levels.items():
            outside = fit(donor.image(name)) * (level / level_of_donor)
            noise = ndimage.gaussian_filter(rng.normal(size=inside.shape), 1.5)
            fluid = FLUID[name] * level * (1 + 0.45 * noise)
            if name == "t2":
                outside = np.where(gap | (inside & ~own), fluid, outside)
            else:
                outside = np.where(gap, 0.8 * fluid + 0.2 * outside, outside)
                outside = np.where(inside & ~own, np.minimum(outside, fluid), outside)
            image = brain.images[name][..., thick].mean(axis=-1)
            faded = outside * (1 - 0.5 * weight)
            border = weight * image + (1 - weight) * outside * (1 - 0.5 * (weight > 0))
            scaled = np.where(inside, border, faded) * (BRAIN_LEVEL / max(level, 1e-6))
            images[name].append(scaled)
        labels.append(np.where(inside, brain.labels[..., z], 0).astype(np.uint8))
    return {name: np.stack(layers, -1) for name, layers in images.items()}, np.stack(labels, -1)


@dataclass(frozen=True, eq=False)
class Fit:
    """A slice of the donor on the grid of the brain, whose position is ``scale * x + offset``."""

    index: int
    scale: npt.NDArray[np.float64]
    offset: npt.NDArray[np.float64]
    shape: tuple[int, ...]

    def __call__(self, array: npt.NDArray[np.generic]) -> Image:
        """The slice of an array of the donor, (I, J, K)."""
        image = array[..., self.index].astype(np.float32)
        moved: Image = ndimage.affine_transform(image, self.scale, self.offset, self.shape, order=1)
        return moved


def _slices(brain: Mask, of_donor: Mask, step: int) -> Iterator[tuple[int, Fit]]:
    """The slices to be made, from 12 mm below the brain to 8 mm above it."""
    (first, last), (first_of_donor, last_of_donor) = _extent(brain), _extent(of_donor)
    place: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]] | None = None
    for z in range(max(first - 12, 0), min(last + 8, brain.shape[2] - 1) + 1, step):
        height = (z - first) / (last - first)
        index = round(first_of_donor + height * (last_of_donor - first_of_donor))
        if not 0 <= index < of_donor.shape[2]:
            continue
        inside, own = brain[..., z], of_donor[..., index]
        if inside.sum() >= LEAST_PX and own.sum() > LEAST_PX:
            (centre, size), (centre_of_donor, size_of_donor) = _box(inside), _box(own)
            scale = np.clip(size_of_donor / size, 0.7, 1.5)
            place = scale, centre_of_donor - scale * centre
        if place is not None:
            yield z, Fit(index, *place, inside.shape)


def _extent(mask: Mask) -> tuple[int, int]:
    """The first and the last slice of a brain."""
    area = mask.sum(axis=(0, 1))
    slices = np.flatnonzero(area > LEAST_BRAIN * area.max())
    return int(slices[0]), int(slices[-1])


def _box(mask: Mask) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Centre and size of the box around a mask of two dimensions, in pixels."""
    ends = [np.flatnonzero(mask.any(axis=axis))[[0, -1]] + (0, 1) for axis in (1, 0)]
    return np.mean(ends, axis=1), np.diff(ends, axis=1)[:, 0].astype(float)


def _array(path: Path) -> Image:
    return np.asarray(nib.as_closest_canonical(nib.Nifti1Image.from_filename(path)).dataobj).astype(
        np.float32
    )


def _brain_of(images: Mapping[str, Image]) -> Mask:
    """The brain without specks and holes: what any image shows."""
    shown = ndimage.binary_opening(np.any([a != 0 for a in images.values()], axis=0), iterations=2)
    return np.stack([ndimage.binary_fill_holes(s) for s in np.moveaxis(shown, 2, 0)], axis=2)


def _donors(root: Path, masks: Path, folds: Mapping[str, int]) -> dict[int, list[Donor]]:
    """The heads with three sequences, by the fold that has their patient in its test part."""
    donors: dict[int, list[Donor]] = {}
    for head in heads(root):
        if head.complete:
            donor = Donor(head, brain_mask(masks, head.case))
            donors.setdefault(folds[head.case.patient], []).append(donor)
    return donors


def _write(
    folder: Path, images: Mapping[str, Image], labels: npt.NDArray[np.uint8], step: int
) -> dict[str, str]:
    """Write a case, and return its row of the table."""
    name = folder.name
    folder.mkdir()
    affine = np.diag([1, 1, step, 1])
    arrays = {key: image.round().clip(0, 32000).astype(np.int16) for key, image in images.items()}
    for key, array in {**arrays, "mask": labels}.items():
        nib.save(nib.Nifti1Image(array, affine), folder / f"{key}.nii.gz")
    files = {key: f"{name}/{key}.nii.gz" for key in (*arrays, "mask")}
    return {"patient": name, "case": name, "labels": LABELS, **files}


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("root", "masks", "split", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("stripped", type=Path, nargs="+")
    options = parser.parse_args()
    split = json.loads(options.split.read_text(encoding="utf-8"))
    folds = {patient: k for k, fold in enumerate(split["folds"]) for patient in fold["test"]}
    donors = _donors(options.root, options.masks, folds)
    options.out.mkdir(parents=True)
    rows = []
    for n, brain in enumerate(brains(options.stripped)):
        for k, kind in enumerate(KINDS, 1):
            rng = np.random.default_rng([n, k])
            choice = donors[folds[brain.patient]]
            donor = choice[rng.integers(len(choice))]
            step = int(rng.integers(*kind.steps, endpoint=True))
            images, labels = join(brain, donor, kind, step, rng)
            rows.append(_write(options.out / f"{kind.name}-{brain.case}", images, labels, step))
            print(rows[-1]["case"], donor.head.case.id, flush=True)
    table = csv_text(COLUMNS, [[row.get(column) for column in COLUMNS] for row in rows])
    (options.out / "cases.csv").write_text(table, encoding="utf-8")


if __name__ == "__main__":
    main()
