"""Files of one folder with the names that other programs give them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from gliomask.core.case import Case
from gliomask.core.identity import patient_of
from gliomask.formats.nifti import write_nifti
from tests.datasets.tiny import AFFINE, intensities, mask, scan
from tests.finding import find_studies
from tests.studies.test_find import refusal


def lay(folder: Path, names: Iterable[str]) -> None:
    for seed, name in enumerate(names):
        scan(folder / f"{name}.nii.gz", seed)


def used(case: Case) -> dict[str, str]:
    return {sequence: file.paths[0].name for sequence, file in case.images.items()}


def test_numbers_of_series(tmp_path: Path) -> None:
    """dcm2niix's ``%f_%p_%t_%s`` and the names of 3D Slicer's volumes."""
    protocols = ("t1_mprage_sag_p2_iso", "t2_tse_tra", "t2_tirm_tra_dark-fluid",
                 "t1_mprage_sag_p2_iso_KM", "ep2d_diff_trace_ADC")  # fmt: skip
    lay(tmp_path / "a", (f"ANN_{p}_20190412093012_{n}" for n, p in enumerate(protocols, start=3)))
    (case,) = find_studies([tmp_path / "a"])
    assert (case.id, case.patient) == ("ANN-20190412093012", "ANN")
    assert used(case) == {
        "t1": "ANN_t1_mprage_sag_p2_iso_20190412093012_3.nii.gz",
        "t1ce": "ANN_t1_mprage_sag_p2_iso_KM_20190412093012_6.nii.gz",
        "t2": "ANN_t2_tse_tra_20190412093012_4.nii.gz",
        "flair": "ANN_t2_tirm_tra_dark-fluid_20190412093012_5.nii.gz",
    }
    assert any("taken for those of series" in note for note in case.notes)
    lay(tmp_path / "case7", ("3 T1 AX", "4 T2 AX", "5 T2 FLAIR AX", "9 T1 AX GD"))
    (case,) = find_studies([tmp_path / "case7"])
    assert case.id == "case7"
    assert list(case.images) == ["t1", "t1ce", "t2", "flair"]


def test_descriptions_beside_the_images(tmp_path: Path) -> None:
    """dcm2niix's files where one protocol is that of the whole examination."""
    described = {3: "Ax T1 SE", 4: "Ax T2 FRFSE", 5: "Ax FLAIR", 9: "Ax T1 SE +C", 7: "ADC map"}
    for number, text in described.items():
        name = f"dicom_Brain_Tumor_20180503110212_{number}"
        scan(tmp_path / "out" / f"{name}.nii.gz", number)
        (tmp_path / "out" / f"{name}.json").write_text(json.dumps({"SeriesDescription": text}))
    (case,) = find_studies([tmp_path / "out"])
    assert {sequence: name[-8] for sequence, name in used(case).items()} == {
        "t1": "3",
        "t1ce": "9",
        "t2": "4",
        "flair": "5",
    }
    assert case.patient != patient_of("dicom_Brain_Tumor_20190412093012")
    for text in ("{", "[]", '{"SeriesDescription": 7}', '{"ProtocolName": "T1 xylophone"}'):
        scan(tmp_path / "bad" / "a_1.nii.gz")
        (tmp_path / "bad" / "a_1.json").write_text(text)
        said = refusal(tmp_path / "bad")
        assert "xylophone" in said if "xylo" in text else "no file name contains a sequence" in said


def test_numbers_of_patients(tmp_path: Path) -> None:
    lay(tmp_path, (f"{patient}_{s}" for patient in (1, 2, 3) for s in ("t1", "t2", "flair")))
    assert [case.id for case in find_studies([tmp_path])] == ["1", "2", "3"]
    (tmp_path / "2_t2.nii.gz").unlink()
    assert "isn't clear which files belong together" in refusal(tmp_path)


def test_two_numbers_may_be_of_two_patients(tmp_path: Path) -> None:
    lay(tmp_path, ("1_t1", "2_flair"))
    assert "isn't clear which files belong together" in refusal(tmp_path)


def test_two_series_of_one_sequence_are_asked_about(tmp_path: Path) -> None:
    lay(tmp_path, ("3_t1", "4_t2", "5_flair", "8_t1"))
    assert "two files for t1: 3_t1.nii.gz and 8_t1.nii.gz" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("T1 sans inj", "T1 avec inj", "T2 axiale", "FLAIR"), 4),
        (("T1 pre mdc", "T1 post mdc", "T2 assiale", "FLAIR assiale"), 4),
        (("T1 zonder contrast", "T1 met contrast", "T2 transversaal", "FLAIR transversaal"), 4),
        (("T1 pingsao", "T1 zengqiang", "T2 hengduan", "FLAIR hengduan"), 4),
    ],
)
def test_words_of_several_languages(tmp_path: Path, names: tuple[str, ...], expected: int) -> None:
    lay(tmp_path, names)
    (case,) = find_studies([tmp_path])
    assert len(case.images) == expected


def test_versions_of_the_images(tmp_path: Path) -> None:
    """CaPTk keeps every step; only those in the space of the atlas are on one grid."""
    for seed, sequence in enumerate(("T1", "T1CE", "T2", "FL")):
        for step in ("raw", "rai", "rai_n4"):
            own = AFFINE * np.array([1, 1, 1 + seed / 10, 1])
            write_nifti(tmp_path / "A" / f"{sequence}_{step}.nii.gz", intensities(seed), own)
        for step in ("to_SRI", "to_SRI_brain"):
            scan(tmp_path / "A" / f"{sequence}_{step}.nii.gz", seed)
    mask(tmp_path / "A" / "brainTumorMask_SRI.nii.gz", 1)
    (case,) = find_studies([tmp_path / "A"])
    assert case.id == "A"
    assert used(case) == {
        "t1": "T1_to_SRI.nii.gz",
        "t1ce": "T1CE_to_SRI.nii.gz",
        "t2": "T2_to_SRI.nii.gz",
        "flair": "FL_to_SRI.nii.gz",
    }
    assert any("other versions of these images are not used" in note for note in case.notes)


def test_a_series_that_was_resampled_to_even_distances(tmp_path: Path) -> None:
    lay(tmp_path / "P1", ("T1_3", "T2_4", "FLAIR_5", "FLAIR_5_Eq"))
    (case,) = find_studies([tmp_path / "P1"])
    assert used(case)["flair"] == "FLAIR_5_Eq.nii.gz"


def test_two_versions_of_one_sequence_are_asked_about(tmp_path: Path) -> None:
    lay(tmp_path, ("t1_n4", "t1_brain"))
    assert "two files for t1" in refusal(tmp_path)


def test_names_that_are_clear_beside_the_others(tmp_path: Path) -> None:
    lay(tmp_path / "a", (f"{s}_r2s_bet_reg" for s in ("T1", "CT1", "T2", "FLAIR")))
    lay(tmp_path / "b", (f"P1_hdbet_{s}" for s in ("t1", "t1c", "t2", "fla")))
    hd_glio, toolkit = (find_studies([tmp_path / folder])[0] for folder in "ab")
    assert used(hd_glio)["t1ce"] == "CT1_r2s_bet_reg.nii.gz"
    assert used(toolkit)["flair"] == "P1_hdbet_fla.nii.gz"
    lay(tmp_path / "c", ("t1_fl_3d", "t2"))
    (case,) = find_studies([tmp_path / "c"])
    assert set(case.images) == {"t1", "t2"}


def test_folders_of_archives(tmp_path: Path) -> None:
    """XNAT, Flywheel, and the time points of Raidionics: who is who, by the folders."""
    for session in ("SUBJ001_MR1", "SUBJ001_MR2", "SUBJ002_MR1"):
        for number, name in ((3, "t1_se_tra"), (6, "t2_flair_tra"), (11, "t1_se_tra_KM")):
            files = tmp_path / "xnat" / session / "scans" / f"{number}-{name}" / "resources"
            scan(files / "NIFTI" / "files" / f"{session}_{number}.nii.gz")
    assert [case.patient for case in find_studies([tmp_path / "xnat"])] == [
        "SUBJ001",
        "SUBJ001",
        "SUBJ002",
    ]
    for subject in ("sub01", "sub02"):
        place = tmp_path / "fly" / "SUBJECTS" / subject / "SESSIONS" / "ses1" / "ACQUISITIONS"
        for name in ("3 - AX T1", "6 - AX FLAIR"):
            scan(place / name / "FILES" / f"{name.replace(' ', '_')}.nii.gz")
    assert [case.patient for case in find_studies([tmp_path / "fly"])] == ["sub01", "sub02"]
    for patient in ("Pat001", "Pat002"):
        for point in ("T0", "T1"):
            lay(tmp_path / "raid" / patient / point, (f"{patient}_t1gd", f"{patient}_flair"))
    cases = find_studies([tmp_path / "raid"])
    assert [case.patient for case in cases] == ["Pat001", "Pat001", "Pat002", "Pat002"]
    assert len({case.id for case in cases}) == 4


def test_time_points_that_are_called_like_sequences(tmp_path: Path) -> None:
    """CFB-GBM."""
    for number, folder in ((1, "001"), (8, "008")):
        for point, names in (("t0", ("t1gd", "flair", "ct")), ("t1", ("t1gd", "flair", "adc")),
                             ("t2", ("t1gd",))):  # fmt: skip
            lay(tmp_path / folder / point, (f"{number}_{point}_{name}" for name in names))
            mask(tmp_path / folder / point / f"{number}_{point}_gtv.nii.gz", 1)
    cases = find_studies([tmp_path])
    assert [sorted(case.images) for case in cases] == [["flair", "t1ce"]] * 2 + [["t1ce"]] + [
        ["flair", "t1ce"]
    ] * 2 + [["t1ce"]]
    assert [case.patient for case in cases] == ["1"] * 3 + ["8"] * 3
    assert len({case.id for case in cases}) == 6
    lay(tmp_path / "T2", ("P1_T2", "P1_T2_FLAIR"))
    (case,) = find_studies([tmp_path / "T2"])
    assert set(case.images) == {"t2", "flair"}


def test_files_of_spm_beside_the_image(tmp_path: Path) -> None:
    lay(tmp_path / "P1", ("P1_T1", "c1P1_T1", "mwc2P1_T1", "mP1_T1", "wmP1_T1", "y_P1_T1", "P1_T2"))
    (case,) = find_studies([tmp_path / "P1"])
    assert used(case) == {"t1": "P1_T1.nii.gz", "t2": "P1_T2.nii.gz"}
    assert sum("SPM made it" in note for note in case.notes) == 5


def test_the_images_of_a_tool_in_folders_of_one_name(tmp_path: Path) -> None:
    for patient, week in (("Patient-001", "week-000-1"), ("Patient-001", "week-013"),
                          ("Patient-002", "week-000-1")):  # fmt: skip
        place = tmp_path / patient / week / "Tool-segmentation" / "atlas"
        lay(place / "skull_strip", (f"{s}_skull_strip" for s in ("t1", "ct1", "t2", "flair")))
        mask(place / "segmentation" / "seg_mask.nii.gz", 1)
    cases = find_studies([tmp_path])
    assert [case.patient for case in cases] == ["Patient-001", "Patient-001", "Patient-002"]
    assert all(len(case.images) == 4 for case in cases)
