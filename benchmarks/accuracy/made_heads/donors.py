"""Heads of the LGG set with their brain masks: the skulls, scalps and faces of others.

    pip install deepbet
    python -m benchmarks.accuracy.made_heads.donors KAGGLE_3M MASKS

writes a brain mask for each case, by deepbet (Fisch et al. 2024, MIT), from its T1, or from its
FLAIR where T1 is missing.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import numpy.typing as npt

from gliomask.core.case import Case
from gliomask.datasets.find import find_cases
from gliomask.formats.pictures import read_stack

CHANNELS = {"t1": 0, "flair": 1, "t1ce": 2}
"""Channels of the pictures of the LGG set."""


@dataclass(frozen=True, eq=False)
class Head:
    """A head of the LGG set; all arrays are (I, J, K), to the right, anterior and superior.

    Attributes:
        case: its case.
        images: channel name -> uint8; a missing sequence is a copy of FLAIR.
        mask: whole tumour, bool.
    """

    case: Case
    images: dict[str, npt.NDArray[np.uint8]]
    mask: npt.NDArray[np.bool_]

    @property
    def complete(self) -> bool:
        """All three sequences are there."""
        return len(self.case.images) == len(CHANNELS)


def heads(root: Path) -> Iterator[Head]:
    """The cases of the LGG set in ``root``."""
    for case in find_cases(root).cases:
        if case.label is None:
            continue
        image = next(iter(case.images.values()))
        stack = _upright(read_stack(image.paths))
        mask = _upright(read_stack(case.label.paths))[..., 0] > 0
        images = {name: stack[..., channel] for name, channel in CHANNELS.items()}
        yield Head(case, images, mask)


def brain_mask(masks: Path, case: Case) -> npt.NDArray[np.bool_]:
    """The brain mask of a head, (I, J, K)."""
    return np.asarray(nib.Nifti1Image.from_filename(masks / f"{case.id}.nii.gz").dataobj) > 0


def _upright(stack: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """From columns to the left and rows to the back, to the right and to the front."""
    return np.ascontiguousarray(stack[::-1, ::-1])


def main() -> None:
    """The command."""
    from deepbet.bet import BrainExtraction  # type: ignore[import-not-found,unused-ignore]

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", type=Path, metavar="KAGGLE_3M")
    parser.add_argument("masks", type=Path)
    options = parser.parse_args()
    options.masks.mkdir(parents=True)
    brains = BrainExtraction(no_gpu=True)
    for head in heads(options.root):
        name = "t1" if "t1" in head.case.images else "flair"
        image = nib.Nifti1Image(head.images[name].astype(np.float32), np.eye(4))
        _, mask, _ = brains.run(image)
        nib.save(mask, options.masks / f"{head.case.id}.nii.gz")
        print(head.case.id, name, flush=True)


if __name__ == "__main__":
    main()
