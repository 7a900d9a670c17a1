"""Small heads, masks and a terminal, to create again what users have reported."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gliomask.core.volume import Affine, FloatArray
from gliomask.formats.nifti import write_nifti
from tests.fakes import HEAD_AFFINE, head, head_labels

HEAD_MM = HEAD_AFFINE @ np.diag([8.0, 8.0, 8.0, 1.0])
"""The affine of a head of 192 x 192 x 192 mm."""
GRID = np.diag([4.0, 4.0, 12.0, 1.0])


@dataclass(frozen=True)
class Said:
    """What a command left behind: its exit code, stdout and stderr."""

    code: int
    out: str
    err: str

    @property
    def keys(self) -> dict[str, Any]:
        """Of ``--json``."""
        keys: dict[str, Any] = json.loads(self.out)
        return keys

    @property
    def line(self) -> str:
        """The last line on stderr: the error."""
        return self.err.strip().splitlines()[-1]


Command = Callable[..., Said]
"""Runs ``gliomask`` with some words."""


def flair(seed: int = 0) -> FloatArray:
    """A FLAIR of the head (24, 20, 8) that the stand-in for a network marks the box of."""
    image: FloatArray = head()[1] + np.float32(seed)
    return image


def scan(path: Path, seed: int = 0, affine: Affine = HEAD_MM) -> Path:
    """Writes a FLAIR."""
    write_nifti(path, flair(seed), affine)
    return path


def box(path: Path, affine: Affine = HEAD_MM, value: int = 1) -> Path:
    """Writes the mask of the box, 6 x 5 x 3 voxels."""
    write_nifti(path, head_labels() * np.uint8(value), affine)
    return path


def numbered(*values: int) -> npt.NDArray[np.uint8]:
    """A mask (8, 8, 6): the first value in a block of 6 x 6 x 4, each other in a row of 4 in it."""
    labels = np.zeros((8, 8, 6), np.uint8)
    labels[1:7, 1:7, 1:5] = values[0]
    for row, value in enumerate(values[1:], start=1):
        labels[2:6, row, 2] = value
    return labels


def mask(path: Path, *values: int) -> Path:
    """Writes a mask."""
    write_nifti(path, numbered(*values), GRID)
    return path


def nnunet(
    root: Path, cases: Mapping[str, npt.NDArray[np.uint8]], labels: Mapping[str, Any], **keys: Any
) -> Path:
    """A data set of FLAIR as nnU-Net lays it out."""
    for seed, (case, numbers) in enumerate(cases.items()):
        write_nifti(root / "imagesTr" / f"{case}_0000.nii.gz", flair(seed), HEAD_MM)
        write_nifti(root / "labelsTr" / f"{case}.nii.gz", numbers, HEAD_MM)
    described = {"channel_names": {"0": "FLAIR"}, "labels": labels, "file_ending": ".nii.gz"}
    text = json.dumps({**described, "numTraining": len(cases), **keys})
    (root / "dataset.json").write_text(text)
    return root


def scores(out: Path) -> dict[tuple[str, str], float]:
    """(case, region) -> Dice, of an evaluation."""
    return {key: float(row["dice"]) for key, row in rows(out).items()}


def rows(out: Path) -> dict[tuple[str, str], dict[str, str]]:
    """(case, region) -> the row of ``metrics.csv``."""
    with (out / "metrics.csv").open(encoding="utf-8") as file:
        return {(row["case"], row["region"]): row for row in csv.DictReader(file)}
