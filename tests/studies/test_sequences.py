"""Tags to sequences: names as hospitals give them, timings as scanners have them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gliomask.formats.dicom.tags import SeriesTags
from gliomask.studies.sequences import recognise

T1_SE = {"repetition_time": 550.0, "echo_time": 12.0, "scanning_sequence": ("SE",)}
MPRAGE = {"repetition_time": 2300.0, "echo_time": 2.98, "inversion_time": 900.0,
          "scanning_sequence": ("GR", "IR")}  # fmt: skip
SPGR = {"repetition_time": 8.2, "echo_time": 3.2, "scanning_sequence": ("GR",)}
T2_FSE = {"repetition_time": 4500.0, "echo_time": 98.0, "scanning_sequence": ("SE",)}
T2_SPACE = {"repetition_time": 3200.0, "echo_time": 408.0, "scanning_sequence": ("SE",)}
PD = {"repetition_time": 3000.0, "echo_time": 17.0, "scanning_sequence": ("SE",)}
FLAIR = {"repetition_time": 9000.0, "echo_time": 110.0, "inversion_time": 2500.0,
         "scanning_sequence": ("SE", "IR")}  # fmt: skip
FLAIR_3D = {"repetition_time": 5000.0, "echo_time": 388.0, "inversion_time": 1800.0,
            "scanning_sequence": ("SE", "IR")}  # fmt: skip
T1_FLAIR = {"repetition_time": 2000.0, "echo_time": 24.0, "inversion_time": 860.0,
            "scanning_sequence": ("SE", "IR")}  # fmt: skip
STIR = {"repetition_time": 4000.0, "echo_time": 60.0, "inversion_time": 160.0,
        "scanning_sequence": ("SE", "IR")}  # fmt: skip
T2_STAR = {"repetition_time": 600.0, "echo_time": 20.0, "scanning_sequence": ("GR",)}
EPI = {"repetition_time": 5000.0, "echo_time": 90.0, "scanning_sequence": ("SE", "EP")}
NONE: dict[str, object] = {}
ORIGINAL = ("ORIGINAL", "PRIMARY", "M", "ND")


def tags(description: str, timing: dict[str, object], agent: str = "") -> SeriesTags:
    known = SeriesTags(description=description, image_type=ORIGINAL, contrast_agent=agent)
    return replace(known, **timing)  # type: ignore[arg-type]


KNOWN: list[tuple[str, dict[str, object], str, str]] = [
    ("Ax T1", T1_SE, "", "t1"),
    ("SAG T1 SE", T1_SE, "", "t1"),
    ("t1_mprage_sag_p2_iso", MPRAGE, "", "t1"),
    ("t1_mpr_ns_sag", MPRAGE, "", "t1"),
    ("3D BRAVO", SPGR, "", "t1"),
    ("AX FSPGR 3D", SPGR, "", "t1"),
    ("sT1W_3D_TFE", SPGR, "", "t1"),
    ("Ax T1 FLAIR", T1_FLAIR, "", "t1"),
    ("AX T1 PRE", T1_SE, "", "t1"),
    ("AX T1 PRE GAD", T1_SE, "", "t1"),
    ("Ax T1 w/o contrast", T1_SE, "", "t1"),
    ("T1 non contrast", T1_SE, "none", "t1"),
    ("AX T1 POST OP", T1_SE, "", "t1"),
    ("", T1_SE, "", "t1"),
    ("AX T1 POST", T1_SE, "", "t1ce"),
    ("T1 +C", T1_SE, "", "t1ce"),
    ("AX T1 C+", T1_SE, "", "t1ce"),
    ("3D T1 BRAVO +GD", SPGR, "", "t1ce"),
    ("t1_mprage_sag_gd", MPRAGE, "", "t1ce"),
    ("T1w_post", T1_SE, "", "t1ce"),
    ("T1Gd", T1_SE, "", "t1ce"),
    ("t1ce", NONE, "", "t1ce"),
    ("tra T1 KM", T1_SE, "", "t1ce"),
    ("GAD AX SPGR", SPGR, "", "t1ce"),
    ("AX T1", T1_SE, "Gadovist 7.5 ml", "t1ce"),
    ("", T1_SE, "DOTAREM", "t1ce"),
    ("AX T1 POST OP +GD", T1_SE, "", "t1ce"),
    ("Ax T2 FSE", T2_FSE, "", "t2"),
    ("eT2W_TSE", T2_FSE, "", "t2"),
    ("t2_space_sag", T2_SPACE, "", "t2"),
    ("Gad Ax T2 Straight", T2_FSE, "", "t2"),
    ("AX T2 POST", T2_FSE, "Magnevist", "t2"),
    ("PD/T2 dual echo", T2_FSE, "", "t2"),
    ("T2w", NONE, "", "t2"),
    ("", T2_FSE, "", "t2"),
    ("AX T2 FLAIR", FLAIR, "", "flair"),
    ("t2_tirm_tra_dark-fluid", FLAIR, "", "flair"),
    ("t2_space_dark-fluid_sag", FLAIR_3D, "", "flair"),
    ("FLAIR post gad", FLAIR, "Gadavist", "flair"),
    ("FLAIR", {k: v for k, v in FLAIR.items() if k != "inversion_time"}, "", "flair"),
    ("", FLAIR, "", "flair"),
]


@pytest.mark.parametrize(("description", "timing", "agent", "sequence"), KNOWN)
def test_known(description: str, timing: dict[str, object], agent: str, sequence: str) -> None:
    found = recognise(tags(description, timing, agent))
    assert found.sequence == sequence, found
    assert found.rejected is None
    assert found.evidence


REJECTED: list[tuple[str, dict[str, object], str]] = [
    ("PD/T2 dual echo", PD, "proton density"),
    ("Localizer", SPGR, "a localizer"),
    ("3-plane loc", SPGR, "a localizer"),
    ("Survey_32ch_HeadCoil", SPGR, "a localizer"),
    ("ep2d_diff_3scan_trace", EPI, "diffusion"),
    ("ADC", NONE, "diffusion"),
    ("AX DWI", EPI, "diffusion"),
    ("Ax T2* GRE", T2_STAR, "susceptibility"),
    ("AX T2 STAR", T2_STAR, "susceptibility"),
    ("SWI_Images", T2_STAR, "susceptibility"),
    ("AX GRE", T2_STAR, "a gradient echo with T2*"),
    ("DSC Perfusion", EPI, "perfusion"),
    ("REST1 w SMS", EPI, "echo planar"),
    ("fMRI resting", EPI, "function"),
    ("TOF_3D_multi-slab", SPGR, "vessels"),
    ("MRV sag", SPGR, "vessels"),
    ("T1 subtraction", NONE, "made from other series"),
    ("T1 map", SPGR, "a map"),
    ("Ax STIR", STIR, "short-tau inversion recovery"),
    ("cor", STIR, "an inversion that nulls fat"),
    ("b0map", SPGR, "calibration"),
    ("head", EPI, "echo planar"),
]


@pytest.mark.parametrize(("description", "timing", "reason"), REJECTED)
def test_rejected(description: str, timing: dict[str, object], reason: str) -> None:
    found = recognise(tags(description, timing))
    assert found.sequence is None
    assert not found.ambiguous
    assert found.rejected is not None
    assert reason in found.rejected


ASKED: list[tuple[str, dict[str, object], str, str]] = [
    ("AX T1", T2_FSE, "", "the name says T1, but the timing T2"),
    ("AX T2", T1_SE, "", "the name says T2, but the timing T1"),
    ("Ax T2", FLAIR, "", "the name says T2, but the timing FLAIR"),
    ("FLAIR", T1_SE, "", "the name says FLAIR, but the timing T1"),
    ("t1_in_t2_space", NONE, "", "neither"),
    ("head", NONE, "", "neither"),
    ("", NONE, "", "neither"),
    ("AX 3D", SPGR, "", "neither"),
    ("AX T1 PRE", T1_SE, "Dotarem", "before contrast, but an agent is recorded (Dotarem)"),
    ("subT1", T1_SE, "", "the name contains 'subt1', which is not understood"),
    ("deltaT1", MPRAGE, "", "the name contains 'deltat1', which is not understood"),
    ("T1 and T2", T1_SE, "", "the name says T1 or T2"),
    ("T2_to_T1c", T1_SE, "", "the name says T1 or T2"),
    ("T1 xylo", NONE, "", "the name contains 'xylo', which is not understood"),
    ("T1 造像", T1_SE, "", "which is not understood"),
    ("T1 utomata Gd", T1_SE, "", "'utomata' before 'gd' in the name is not understood"),
]


@pytest.mark.parametrize(("description", "timing", "agent", "reason"), ASKED)
def test_asked(description: str, timing: dict[str, object], agent: str, reason: str) -> None:
    found = recognise(tags(description, timing, agent))
    assert found.sequence is None
    assert found.ambiguous
    assert found.rejected is not None
    assert reason in found.rejected


@pytest.mark.parametrize(
    "image_type",
    [
        ("DERIVED", "SECONDARY"),
        ("DERIVED", "PRIMARY", "MPR", "NORM"),
        ("ORIGINAL", "PRIMARY", "LOCALIZER"),
        ("ORIGINAL", "PRIMARY", "P", "ND"),
        ("ORIGINAL", "PRIMARY", "PHASE MAP", "P", "FFE"),
        ("ORIGINAL", "PRIMARY", "M", "NONE", "PHASE"),
        ("ORIGINAL", "SECONDARY", "ADC"),
    ],
)
def test_what_is_no_original_magnitude_image(image_type: tuple[str, ...]) -> None:
    found = recognise(replace(tags("Ax T2", T2_FSE), image_type=image_type))
    assert found.sequence is None
    assert found.rejected is not None
    assert found.rejected.startswith("not an original image")
    assert found.rejected.endswith("(ImageType=" + "\\".join(image_type) + ")")


def test_what_is_only_derived_may_be_a_sequence_all_the_same() -> None:
    defaced = replace(tags("anat-T1w", NONE), image_type=("DERIVED", "SECONDARY"))
    assert recognise(defaced).candidates == {"t1", "t1ce"}
    assert not recognise(replace(defaced, description="T1 map")).ambiguous
    assert not recognise(replace(defaced, image_type=("DERIVED", "PRIMARY", "MPR"))).ambiguous


def test_a_diffusion_weighting_in_the_header() -> None:
    weighted = replace(tags("", T2_FSE), b_value=1000.0)
    assert recognise(weighted).rejected == "by its header diffusion (b=1000)"
    assert recognise(replace(weighted, b_value=0.0)).sequence == "t2"


def test_a_reformat_without_image_type() -> None:
    found = recognise(replace(tags("t1 mpr cor", NONE), image_type=()))
    assert found.rejected == "by its name made from other series (mpr)"


def test_the_protocol_helps_where_the_description_says_nothing() -> None:
    found = recognise(replace(tags("Ax head", SPGR), protocol="t1_fl3d_tra"))
    assert found.sequence == "t1"
    given = replace(tags("POST GAD AX", SPGR), protocol="T1W_3D_TFE")
    assert recognise(given).sequence == "t1ce"
    exam = replace(tags("AX T1", T1_SE), protocol="BRAIN WITHOUT AND WITH CONTRAST")
    assert recognise(exam).sequence == "t1"


def test_the_evidence_is_told() -> None:
    assert recognise(tags("Gad Ax T2", T2_FSE)).evidence == (
        "the name says T2",
        "TR 4500, TE 98 ms",
    )
    assert recognise(tags("AX T1", T1_SE, "Dotarem")).evidence[-1] == "contrast agent Dotarem"
    assert recognise(tags("AX T1", T1_SE)).evidence[-1] == "no contrast agent is recorded"
