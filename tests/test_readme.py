"""The Python lines of README and docs that show predictions run as they stand there."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from gliomask.core.prediction import Prediction
from gliomask.formats.nifti import write_nifti
from tests.datasets import tiny
from tests.fakes import FakeModel, head_volume

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "docs/how-to/segment-scans.md", "docs/reference/python.md")


def lines_of(page: str) -> str:
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)
    assert len(blocks) >= 1
    return "\n".join(blocks)


@pytest.mark.parametrize("page", PAGES)
def test_they_run(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny.brats(tmp_path / "brats", "BraTS2021_00000", 1, 2, 4)
    volume = head_volume()
    for name, image in zip(volume.sequences, volume.array, strict=True):
        write_nifti(tmp_path / "study" / f"p1_{name}.nii.gz", image, volume.affine)
    shutil.make_archive(str(tmp_path / "study"), "zip", tmp_path / "study")
    write_nifti(tmp_path / "p1_flair.nii.gz", volume.array[1], volume.affine)
    shutil.copytree(tmp_path / "study", tmp_path / "studies" / "one")
    (tmp_path / "run").mkdir()
    monkeypatch.chdir(tmp_path)
    model = FakeModel(size=64, sequence_dropout=True)
    monkeypatch.setattr("gliomask.segmentation.segmenter.load_predictor", model)
    monkeypatch.setattr("gliomask.inference.predictor.load_predictor", model)
    names: dict[str, object] = {"array": volume.array[1], "affine": volume.affine}
    exec(compile(lines_of(page), page, "exec"), names)  # noqa: S102
    assert isinstance(names["prediction"], Prediction)
    assert set(names["prediction"].used) <= {"t1", "flair"}
