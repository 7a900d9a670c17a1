"""Which sequence a file or a series is, and which series is used."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from tests.faults.situations import Command, Said, scan
from tests.formats.dicom.made import pixels, save, series
from tests.studies.test_dicom_study import FLAIR, PLAN, T1

# fmt: off
DIR: dict[str, Any] = {"SeriesDescription": "3D DIR", "ScanningSequence": ["SE", "IR"],
                       "EchoTime": 320.0, "RepetitionTime": 7500.0, "InversionTime": 3000.0}
# fmt: on


def uses(said: Said) -> dict[str, str]:
    """Sequence -> the file or series that predict would use."""
    assert said.code == 0, said.err
    found: dict[str, str] = said.keys["cases"][0]["uses"]
    return found


@pytest.mark.parametrize(
    ("name", "sequence"),
    [
        ("P1_t1_without_contrast", "t1"),
        ("P2_T1_non_contrast", "t1"),
        ("P3_t1_wo_gd", "t1"),
        ("patient_C_t1", "t1"),
        ("P6_post_op_t1", "t1"),
        ("sub-01_space-native_ce-gd_T1w", "t1ce"),
        ("t1_post_contrast_native", "t1ce"),
        ("pre_op_t1_gd", "t1ce"),
        ("T1_GADO", "t1ce"),
        ("t1_mprage_km", "t1ce"),
        ("t2_tirm_tra_dark-fluid", "flair"),
    ],
)
def test_08_words_in_file_names(
    name: str, sequence: str, gliomask: Command, tmp_path: Path
) -> None:
    scan(tmp_path / "one" / f"{name}.nii.gz")
    assert uses(gliomask("inspect", tmp_path / "one", "--json")) == {sequence: f"{name}.nii.gz"}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("CE_t1", "a letter in the name may mean contrast"),
        ("t2_star", "no file name contains a sequence: t2_star.nii.gz (susceptibility)"),
        ("t1_map", "no file name contains a sequence: t1_map.nii.gz (a map)"),
    ],
)
def test_08_names_that_are_asked_about(
    name: str, why: str, gliomask: Command, tmp_path: Path
) -> None:
    path = scan(tmp_path / "one" / f"{name}.nii.gz")
    said = gliomask("inspect", tmp_path / "one", "--json")
    assert said.code == 2
    assert why in said.line
    assert f"--t1 {path}" in said.line


def add(folder: Path, number: int, tags: dict[str, Any], slices: int = 6, **more: Any) -> None:
    plan = replace(PLAN, slices=slices)
    save(folder / str(number), series(plan, pixels(plan, number), number, **{**tags, **more}))


@pytest.mark.parametrize(
    ("description", "agent", "sequence"),
    [
        ("AX T1 POST NON FS", "", "t1ce"),
        ("PRE-OP STEALTH T1 GAD", "", "t1ce"),
        ("COR T1 POST W/O FATSAT", "", "t1ce"),
        ("t1_se_tra ohne KM", "", "t1"),
        ("AX T1 SE", "NO CONTRAST", "t1"),
        ("AX T1 SE", "N/A", "t1"),
    ],
)
def test_10_words_in_dicom(
    description: str, agent: str, sequence: str, gliomask: Command, tmp_path: Path
) -> None:
    add(tmp_path, 5, FLAIR)
    add(tmp_path, 7, T1, SeriesDescription=description, ContrastBolusAgent=agent)
    found = uses(gliomask("inspect", tmp_path, "--json"))
    assert found == {sequence: f"series 7 ({description})", "flair": "series 5 (Ax FLAIR)"}


def test_10_a_name_that_contradicts_its_agent_is_asked_about(
    gliomask: Command, tmp_path: Path
) -> None:
    add(tmp_path, 5, FLAIR)
    add(tmp_path, 7, T1, SeriesDescription="AX T1 C-", ContrastBolusAgent="Gadavist")
    said = gliomask("inspect", tmp_path, "--json")
    assert uses(said) == {"flair": "series 5 (Ax FLAIR)"}
    asked = "if it is one, state it: `series=t1=7` or `series=t1ce=7`"
    assert said.keys["series"][1]["problems"][0].endswith(asked)


def test_11_a_double_inversion_is_no_flair(gliomask: Command, tmp_path: Path) -> None:
    add(tmp_path, 5, FLAIR)
    add(tmp_path, 9, DIR, 12)
    found = uses(gliomask("inspect", tmp_path, "--json"))
    assert found == {"flair": "series 5 (Ax FLAIR)"}


def test_11_the_spine_is_no_brain(gliomask: Command, tmp_path: Path) -> None:
    add(tmp_path, 3, T1, SeriesDescription="AX T1 BRAIN")
    add(tmp_path, 5, FLAIR)
    add(tmp_path, 30, T1, 12, SeriesDescription="C-SPINE T1 AX", BodyPartExamined="CSPINE")
    assert uses(gliomask("inspect", tmp_path, "--json"))["t1"] == "series 3 (AX T1 BRAIN)"


def test_12_a_series_cut_up_by_its_echo_times_is_one_volume(
    gliomask: Command, tmp_path: Path
) -> None:
    """6 slices, 5 mm apart; the echo time of every other one is 0.2 ms less."""
    slices = series(PLAN, pixels(PLAN), 5, **FLAIR)
    for k, dataset in enumerate(slices):
        dataset.EchoTime = 120.0 if k % 2 else 119.8
    save(tmp_path / "study", slices)
    out = tmp_path / "out"
    words = ("predict", tmp_path / "study", "--out", out, "--quick", "--write", "nifti")
    assert gliomask(*words).code == 0
    (path,) = out.glob("*_mask.nii.gz")
    mask: Any = nib.load(path)
    assert mask.shape == (12, 10, 6)
    assert np.allclose(mask.header.get_zooms(), (1.1, 0.9, 5.0))
