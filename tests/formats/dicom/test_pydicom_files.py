"""All files that pydicom comes with, and what becomes of each: none of them is a volume.

The table is by content as pydicom's own documentation and the SOP classes in the files have it.
"""

from __future__ import annotations

import fnmatch
from pathlib import Path

import pydicom.data
import pytest

from gliomask.errors import FormatError
from gliomask.formats.dicom.pixels import read_pixels
from gliomask.formats.dicom.series import survey_files

FILES = Path(pydicom.data.__file__).parent
ONE_SLICE = "a single slice is not a volume"
SKIPPED = "skipped"
"""No DICOM, a DICOMDIR, or (two files) too damaged at its beginning to be told to be DICOM."""


def kind(name: str) -> str:
    return f"not an MR image (SOPClassUID={name}, allowed MR Image Storage"


TABLE: dict[str, tuple[str, ...]] = {
    ONE_SLICE: (
        "test_files/MR_small*.dcm",
        "test_files/MR_truncated.dcm",
        "test_files/examples_overlay.dcm",
        "test_files/dicomdirtests/98892003/MR*/*",
    ),
    SKIPPED: (
        "*/README*",
        "charset_files/FileInfo.txt",
        "test_files/*.json",
        "test_files/*.dump",
        "test_files/*.icc",
        "test_files/zipMR.gz",
        "test_files/dicomdirtests/*DICOMDIR*",
        "test_files/ExplVR_BigEndNoMeta.dcm",  # big endian, and nothing that says so
        "test_files/no_meta.dcm",  # begins with a stray byte
    ),
    "a field is missing (BitsAllocated=nothing)": (
        "test_files/priv_SQ.dcm",
        "charset_files/chrSQEncoding*.dcm",
    ),
    kind("CT Image Storage"): (
        "test_files/693_J2KI.dcm",
        "test_files/CT_small.dcm",
        "test_files/J2K_pixelrep_mismatch.dcm",
        "test_files/UN_sequence.dcm",
        "test_files/dicomdirtests/77654033/CT2/*",
        "test_files/dicomdirtests/98892001/CT*/*",
        "test_files/dicomdirtests/TINY_ALPHA/PT000000/*/*/IM*",
    ),
    kind("Computed Radiography Image Storage"): (
        "test_files/dicomdirtests/77654033/CR*/*",
        "charset_files/chrJapMulti*.dcm",
        "charset_files/chrKoreanMulti.dcm",
    ),
    kind("Secondary Capture Image Storage"): (
        "test_files/GDCMJ2K_TextGBR.dcm",
        "test_files/JPEG*.dcm",
        "test_files/JPGExtended.dcm",
        "test_files/image_dfl.dcm",
        "test_files/SC_*.dcm",
        *(f"charset_files/chr{name}.dcm" for name in (
            "Arab", "Fren", "FrenMulti", "Germ", "Greek", "H31", "H32", "Hbrw", "I2", "Russ", "X1",
            "X2")),
    ),
    kind("nothing"): (
        "test_files/empty_charset_LEI.dcm",
        "test_files/meta_missing_tsyntax.dcm",
        "test_files/nested_priv_SQ.dcm",
    ),
    kind("RT Dose Storage"): ("test_files/rtdose*.dcm", "test_files/badVR.dcm"),
    kind("RT Plan Storage"): ("test_files/rtplan*.dcm",),
    kind("RT Ion Plan Storage"): ("test_files/ExplVR_LitEndNoMeta.dcm",),
    kind("RT Image Storage"): ("test_files/no_meta_group_length.dcm",),
    kind("RT Structure Set Storage"): ("test_files/rtstruct.dcm",),
    kind("Segmentation Storage"): ("test_files/liver*_1frame.dcm",),
    kind("Basic Text SR Storage"): ("test_files/reportsi*.dcm",),
    kind("Comprehensive SR Storage"): ("test_files/test-SR.dcm",),
    kind("12-lead ECG Waveform Storage"): ("test_files/waveform_ecg.dcm",),
    kind("Ultrasound Image Storage"): (
        "test_files/ExplVR_BigEnd.dcm",
        "test_files/examples_jpeg2k.dcm",
        "test_files/examples_palette.dcm",
        "test_files/examples_rgb_color.dcm",
    ),
    kind("Ultrasound Multi-frame Image Storage"): ("test_files/examples_ybr_color.dcm",),
}  # fmt: skip


def all_files() -> list[str]:
    folders = (FILES / "test_files", FILES / "charset_files")
    paths = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return sorted(str(path.relative_to(FILES)) for path in paths if path.suffix != ".py")


def verdict(name: str) -> str:
    """What the table says."""
    (found,) = [
        answer
        for answer, patterns in TABLE.items()
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
    ]
    return found


def test_there_are_as_many_as_were_looked_at() -> None:
    assert len(all_files()) >= 190


def test_each_is_answered() -> None:
    for name in all_files():
        survey, wanted = survey_files([FILES / name]), verdict(name)
        assert not survey.series, name
        if wanted == SKIPPED:
            assert (survey.skipped, survey.refused) == (1, ()), name
            continue
        (refused,) = survey.refused
        assert wanted in refused.reason, name
        assert "\n" not in refused.reason


def test_all_at_once() -> None:
    """Together they are as little a volume as each alone."""
    survey = survey_files([FILES / name for name in all_files()])
    assert not survey.series
    skipped = {name for name in all_files() if verdict(name) == SKIPPED}
    named = {name for name in skipped if name.endswith(".dcm")}  # like the others in the folder
    damaged = {name for name in named if "DICOMDIR" not in name}
    refused = {str(path.relative_to(FILES)) for item in survey.refused for path in item.files}
    assert len(damaged) == 2
    assert damaged <= refused
    assert survey.skipped == len(skipped - damaged)


def test_a_truncated_slice_can_not_be_decoded() -> None:
    with pytest.raises(FormatError, match=r"MR_truncated\.dcm: can't be read as DICOM"):
        list(read_pixels(FILES / "test_files" / "MR_truncated.dcm"))
