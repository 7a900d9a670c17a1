"""Tries an installation as a user would: a prediction, its score and the doctor.

    ENVIRONMENT/bin/python container/try_installation.py

It needs nothing but what ``pip install gliomask`` brings. An installation without extras also fails
where it takes more than 400 MB.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import nibabel
import numpy as np

PIXEL, SLICE = 1.5, 5.0
"""Millimetres."""
EXTRAS = "torch", "matplotlib", "SimpleITK", "highdicom"
MOST_MB = 400
OF_A_NEW_ENVIRONMENT = "pip*", "setuptools*", "pkg_resources", "_distutils_hack"
SHAPE = 128, 144, 24


def main() -> None:
    """Runs the trial and prints what it found."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_scan(folder)
        gliomask(folder, "predict", "scan", "--out", "masks")
        gliomask(folder, "score", "references", "masks", "--out", "scored")
        gliomask(folder, "doctor")
        record = json.loads((folder / "masks" / "p1.json").read_text())
        scored = json.loads((folder / "scored" / "summary.json").read_text())
    print(f"predicted by {record['provenance']['engine']}; policy: {scored['policy'][:40]}...")
    extras = [name for name in EXTRAS if find_spec(name) is not None]
    size = installed_mb(Path(nibabel.__file__).parents[1])
    print(f"the installation takes {size:.0f} MB, with {', '.join(extras) or 'no extras'}")
    if not extras and size > MOST_MB:
        sys.exit(f"more than {MOST_MB} MB")


def gliomask(folder: Path, *words: str) -> None:
    """Runs a command of the installed package; its failure is ours."""
    command = [str(Path(sys.executable).with_name("gliomask")), *words]
    subprocess.run(command, cwd=folder, check=True)


def write_scan(folder: Path) -> None:
    """A made-up head with a bright spot in FLAIR, and the spot as the reference mask."""
    i, j, k = np.indices(SHAPE) - np.array(SHAPE).reshape(3, 1, 1, 1) / 2
    head = (i / 50) ** 2 + (j / 62) ** 2 + (k / 11) ** 2 < 1
    spot = ((i - 20) / 12) ** 2 + ((j - 10) / 14) ** 2 + (k / 3) ** 2 < 1
    noise = np.random.default_rng(0).normal(0, 4, SHAPE)
    affine = np.diag([PIXEL, PIXEL, SLICE, 1])
    for name, bright in (("t1", 60), ("t1ce", 70), ("flair", 230)):
        image = (head * (100 + noise) + spot * (bright - 100)).astype(np.float32)
        save(image, affine, folder / "scan" / f"p1_{name}.nii.gz")
    save(spot.astype(np.uint8), affine, folder / "references" / "p1_mask.nii.gz")


def save(array: np.ndarray, affine: np.ndarray, path: Path) -> None:
    """Writes a NIfTI file."""
    path.parent.mkdir(exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(array, affine), path)


def installed_mb(packages: Path) -> float:
    """What the packages of an environment take on the disk, in MB, without pip and its kin."""
    own = {path for pattern in OF_A_NEW_ENVIRONMENT for path in packages.glob(pattern)}
    kept = [path for path in packages.iterdir() if path not in own]
    files = [file for path in kept for file in (path, *path.rglob("*"))]
    return sum(file.lstat().st_blocks for file in files) * 512 / 1e6


if __name__ == "__main__":
    main()
