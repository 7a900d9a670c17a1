"""The Python lines of the README run as they stand there."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from gliomask.core.prediction import Prediction
from gliomask.formats.nifti import write_nifti
from tests.datasets import tiny
from tests.fakes import FakeModel, head_volume

README = Path(__file__).parents[1] / "README.md"


def blocks() -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), re.M | re.S)


def test_there_are_python_lines() -> None:
    assert len(blocks()) == 1


@pytest.mark.parametrize("code", blocks())
def test_they_run(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny.brats(tmp_path / "brats", "BraTS2021_00000", 1, 2, 4)
    volume = head_volume()
    for name, image in zip(volume.sequences, volume.array, strict=True):
        write_nifti(tmp_path / "study" / f"p1_{name}.nii.gz", image, volume.affine)
    shutil.make_archive(str(tmp_path / "study"), "zip", tmp_path / "study")
    write_nifti(tmp_path / "p1_flair.nii.gz", volume.array[1], volume.affine)
    monkeypatch.chdir(tmp_path)
    model = FakeModel(size=64, sequence_dropout=True)
    monkeypatch.setattr("gliomask.workflows.predict_one.load_predictor", model)
    names: dict[str, object] = {}
    exec(compile(code, README.name, "exec"), names)  # noqa: S102
    assert isinstance(names["prediction"], Prediction)
    assert names["prediction"].used == ("flair",)
