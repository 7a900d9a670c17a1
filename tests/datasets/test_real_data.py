"""The real files, where they are: $GLIOMASK_SHARED/data, or ../shared/data."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gliomask.core.geometry import axis_codes
from gliomask.core.label_scheme import BRATS_2021
from gliomask.datasets.find import find_cases
from gliomask.datasets.load import load_case
from gliomask.formats.pictures import write_picture
from tests.finding import find_studies
from tests.formats.raw_nifti import by_nibabel

_BESIDE = Path(__file__).parents[3] / "shared"
DATA = Path(os.environ.get("GLIOMASK_SHARED", _BESIDE)) / "data"


def real(name: str) -> Path:
    folder = DATA / name
    if not folder.is_dir():
        pytest.skip(f"the real data are not at {folder}")
    return folder


def test_brats_2021() -> None:
    found = find_cases(real("brats2021"))
    assert found.layout == "brats"
    assert not found.problems
    assert {case.scheme for case in found.cases} == {BRATS_2021}
    assert [case.id[-5:] for case in found.cases] == ["01477", "01479", "01485"]
    case = found.cases[0]
    volume, labels = load_case(case)
    assert volume.array.shape == (4, 240, 240, 155)
    assert axis_codes(volume.affine) == "LPS"
    assert labels is not None
    assert np.unique(labels).tolist() == [0, 1, 2]
    reference = by_nibabel(case.images["flair"].paths[0]).get_fdata(dtype=np.float32)
    assert np.array_equal(volume.select(("flair",)).array[0], reference)


def test_a_brats_subject_is_a_study() -> None:
    folder = next(path for path in sorted(real("brats2021").iterdir()) if path.is_dir())
    (case,) = find_studies([folder])
    assert tuple(case.images) == ("t1", "t1ce", "t2", "flair")


def test_two_patients_of_the_lgg_set(tmp_path: Path) -> None:
    for archive in sorted(real("lgg").glob("TCGA_*.zip"))[:2]:
        with zipfile.ZipFile(archive) as members:
            for name in members.namelist():
                picture = Image.open(io.BytesIO(members.read(name)))
                kind = "L" if name.endswith("_mask.png") else "RGB"
                path = tmp_path / archive.stem / f"{Path(name).stem}.tif"
                write_picture(path, np.asarray(picture.convert(kind)))
    found = find_cases(tmp_path)
    assert found.layout == "lgg_kaggle"
    assert not found.problems
    for case in found.cases:
        volume, labels = load_case(case)
        assert volume.shape[:2] == (256, 256)
        assert labels is not None
        assert labels.any()
        assert not volume.has_world
