"""What David Clunie's dciodvfy and dcentvfy say of the objects that we write: nothing."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from pydicom import dcmread

from gliomask.core.regions import REGIONS
from gliomask.formats.dicom_out.rtstruct import write_rtstruct
from gliomask.formats.dicom_out.seg import write_dicom_seg
from gliomask.formats.dicom_out.segments import Correction, DrawnSegments, Maker
from tests.formats.dicom_series import (
    CORONAL,
    OBLIQUE,
    SAGITTAL,
    Grid,
    turned,
    write_enhanced,
    write_series,
)

pytestmark = [
    pytest.mark.pacs,
    pytest.mark.skipif(
        shutil.which("dciodvfy") is None,
        reason="dciodvfy is not installed (Debian: apt-get install dicom3tools)",
    ),
]
Mask = npt.NDArray[np.bool_]
SHAPE = (5, 12, 13)


def _ball(radius: float) -> Mask:
    away = np.indices(SHAPE) - np.reshape((2, 5, 8), (3, 1, 1, 1))
    inside: Mask = np.sqrt((away**2).sum(axis=0)) < radius
    return inside


def _single() -> Mask:
    one = np.zeros(SHAPE, np.bool_)
    one[3, 0, 12] = True
    return one


SERIES: dict[str, Grid] = {
    "axial": Grid(SHAPE),
    "sagittal": Grid(SHAPE, SAGITTAL),
    "coronal": Grid(SHAPE, CORONAL),
    "oblique": Grid(SHAPE, OBLIQUE),
    "thick": Grid(SHAPE, spacing=(6.0, 1.0, 1.0), signed=True),
    "multi-frame": Grid(SHAPE),
}
MASKS: dict[str, tuple[tuple[str, ...], Callable[[], list[Mask]]]] = {
    "nested": (("whole", "core", "enhancing"), lambda: [_ball(5), _ball(3), _ball(1.5)]),
    "not nested": (("whole", "core"), lambda: [_ball(5) & ~_ball(3), _ball(3)]),
    "one empty": (("whole", "enhancing"), lambda: [_ball(3), _ball(0)]),
    "single voxel": (("whole",), lambda: [_single()]),
    "empty": (("whole", "core", "enhancing"), lambda: [_ball(0)] * 3),
    "full": (("whole",), lambda: [np.ones(SHAPE, np.bool_)]),
}


def verdict(*paths: Path, judge: str = "dciodvfy") -> list[str]:
    done = subprocess.run(
        [judge, *map(str, paths)],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    return (done.stdout + done.stderr).splitlines()


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    folder = tmp_path_factory.mktemp("series")
    made = {name: write_series(folder / name, grid) for name, grid in SERIES.items()}
    made["multi-frame"] = [write_enhanced(folder / "e.dcm", SERIES["multi-frame"], [4, 2, 0, 1, 3])]
    return made


@pytest.mark.parametrize("which", MASKS)
@pytest.mark.parametrize("series", SERIES)
def test_objects_are_valid(
    tmp_path: Path, sources: dict[str, list[Path]], series: str, which: str
) -> None:
    names, masks = MASKS[which]
    flips = (series == "coronal", series == "thick", False)
    array, affine = turned(np.stack(masks()), SERIES[series].affine(), (0, 2, 1), flips)
    drawn = DrawnSegments(array, tuple(REGIONS[name] for name in names), affine)
    maker = Maker("demo", "0.1.0", weights="ab" * 32)
    write_dicom_seg(tmp_path / "seg.dcm", drawn, sources[series][::-1], maker)
    write_rtstruct(tmp_path / "rt.dcm", drawn, sources[series][::-1], maker)
    assert verdict(tmp_path / "seg.dcm") == ["Segmentation"]
    assert verdict(tmp_path / "rt.dcm") == ["RTStructureSet"]


@pytest.mark.parametrize("series", ["oblique", "multi-frame"])
def test_corrected_objects_are_valid(
    tmp_path: Path, sources: dict[str, list[Path]], series: str
) -> None:
    """And so are all of a study together, the object that was corrected among them."""
    drawn = DrawnSegments(_ball(3)[np.newaxis], (REGIONS["whole"],), SERIES[series].affine())
    more = replace(drawn, masks=_ball(5)[np.newaxis])
    files = list(sources[series])
    for name, write in (("seg", write_dicom_seg), ("rt", write_rtstruct)):
        maker = Maker("demo", "0.1.0", weights="ab" * 32)
        first = write(tmp_path / f"{name}.dcm", drawn, sources[series], maker)
        made = Correction("ann", first.sop_class, first.sop_instance, first.series)
        second = tmp_path / f"{name}-corrected.dcm"
        write(second, more, sources[series], replace(maker, correction=made))
        assert len(verdict(second)) == 1, verdict(second)
        files += [tmp_path / f"{name}.dcm", second]
    assert verdict(*files, judge="dcentvfy") == []


def test_objects_on_a_poor_series_are_valid(tmp_path: Path) -> None:
    """All that may be empty is missing, and there is a single image.

    The judge then warns of what a DICOMDIR would need, which isn't ours to make up.
    """
    missing = (
        *("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime"),
        *(
            "StudyID",
            "AccessionNumber",
            "ReferringPhysicianName",
            "Manufacturer",
            "PositionReferenceIndicator",
        ),
    )
    grid = replace(Grid((1, 8, 9)), changes=dict.fromkeys(missing))
    drawn = DrawnSegments(np.ones((1, 1, 8, 9), np.bool_), (REGIONS["whole"],), grid.affine())
    sources = write_series(tmp_path / "s", grid)
    write_dicom_seg(tmp_path / "seg.dcm", drawn, sources, Maker("demo", "0.1.0"))
    write_rtstruct(tmp_path / "rt.dcm", drawn, sources, Maker("demo", "0.1.0"))
    for name in ("seg.dcm", "rt.dcm"):
        assert not [line for line in verdict(tmp_path / name) if line.startswith("Error")]


def test_patient_study_and_space_are_those_of_the_series(
    tmp_path: Path, sources: dict[str, list[Path]]
) -> None:
    """dcentvfy compares what several objects say of the same patient, study and space."""
    drawn = DrawnSegments(_ball(3)[np.newaxis], (REGIONS["whole"],), SERIES["oblique"].affine())
    objects = [tmp_path / "seg.dcm", tmp_path / "rt.dcm"]
    write_dicom_seg(objects[0], drawn, sources["oblique"], Maker("demo", "0.1.0"))
    write_rtstruct(objects[1], drawn, sources["oblique"], Maker("demo", "0.1.0"))
    assert verdict(*sources["oblique"], *objects, judge="dcentvfy") == []
    other = write_series(tmp_path / "s", replace(SERIES["oblique"], changes={"PatientID": "P2"}))
    image = dcmread(other[0])
    image.StudyInstanceUID = dcmread(objects[0]).StudyInstanceUID
    image.save_as(other[0])
    assert verdict(other[0], *objects, judge="dcentvfy") != []


def test_the_judge_finds_faults(tmp_path: Path) -> None:
    grid = Grid(SHAPE)
    drawn = DrawnSegments(np.ones((1, *SHAPE), np.bool_), (REGIONS["whole"],), grid.affine())
    sources = write_series(tmp_path / "s", grid)
    write_dicom_seg(tmp_path / "seg.dcm", drawn, sources, Maker("demo", "0.1.0"))
    content = (tmp_path / "seg.dcm").read_bytes()
    (tmp_path / "seg.dcm").write_bytes(content.replace(b"AUTOMATIC ", b"AUTOMAGIC "))
    assert any(line.startswith("Error") for line in verdict(tmp_path / "seg.dcm"))
