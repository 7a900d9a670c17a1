"""Makes the pictures of the tutorials by their own commands, on synthetic patients.

    python docs/images/make.py WORK         all of them
    python docs/images/make.py WORK pages   only those of the web page, see ``pages.py``

A step whose result is in WORK already is skipped. On two CPU cores it takes about five minutes.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pages
from PIL import Image

HERE = Path(__file__).parent
SEQUENCES = ("t1", "t1ce", "t2", "flair")
STEPS = (
    ("patients", "phantom patients --patients 1 --seed 7"),
    ("masks", "predict scan --out masks"),
    ("cohort", "phantom cohort --patients 12 --seed 1"),
    ("cohort.store", "prepare cohort --out cohort.store"),
    ("run", "train cohort.store --out run --recipe demo"),
    ("judged", "evaluate cohort.store --model run --out judged"),
)
PAGES = ("serve-check", "serve-result", "serve-correct", "serve-correct-phone", "serve-history")
WIDTH = 900
COLOURS = 256


def main(work: Path, *, only_pages: bool) -> None:
    """Runs the tutorials' commands in a folder and takes over some of the pictures."""
    work.mkdir(parents=True, exist_ok=True)
    for result, command in STEPS[:1] if only_pages else STEPS:
        if not (work / result).exists():
            words = [sys.executable, "-m", "gliomask", *command.split()]
            subprocess.run(words, cwd=work, check=True)  # noqa: S603
        if result == "patients":
            _scan(work)
    for picture in pages.main(work / "scan", work / "pages"):
        if picture.stem in PAGES:
            shrink(picture, picture.name)
    if only_pages:
        return
    shrink(next((work / "masks").glob("*.png")), "first-mask.png")
    shrink(work / "run" / "figures" / "curves.png", "phantom-curves.png")
    shrink(sorted((work / "judged" / "figures").glob("panels_*.png"))[0], "phantom-panels.png")


def shrink(source: Path, name: str) -> None:
    """Keeps a picture at a width that fits a page, with few colours."""
    with Image.open(source) as opened:
        picture = opened.convert("RGB")
    width = min(WIDTH, picture.width)
    size = width, round(picture.height * width / picture.width)
    resized = picture.resize(size, Image.Resampling.LANCZOS)
    small = resized.quantize(COLOURS, Image.Quantize.MEDIANCUT, kmeans=COLOURS)
    small.save(HERE / name, optimize=True)


def _scan(work: Path) -> None:
    """The sequences of the first patient without its mask, as from a scanner."""
    (work / "scan").mkdir(exist_ok=True)
    for sequence in SEQUENCES:
        (source,) = (work / "patients").glob(f"*/*_{sequence}.nii.gz")
        (work / "scan" / source.name).write_bytes(source.read_bytes())


if __name__ == "__main__":
    main(Path(sys.argv[1]), only_pages=sys.argv[2:] == ["pages"])
