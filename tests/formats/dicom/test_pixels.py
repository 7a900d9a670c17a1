"""Pixels that lie, and pixels that nothing here can decode."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import UID, JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless, RLELossless

from gliomask.errors import FormatError
from gliomask.formats.dicom.codestream import check_frame_size
from gliomask.formats.dicom.file import read_file
from gliomask.formats.dicom.pixels import read_pixels
from gliomask.formats.dicom.series import survey_files
from tests.formats.dicom.made import Plan, pixels, save, series

PLAN = Plan(rows=40, columns=48)
SMALL = get_testdata_file("MR_small.dcm", download=False)


def slice_in(folder: Path, syntax: UID, **tags: object) -> Path:
    (dataset,) = series(PLAN, pixels(PLAN))[:1]
    dataset.compress(syntax, generate_instance_uid=False)
    for keyword, value in tags.items():
        setattr(dataset, keyword, value)
    save(folder, [dataset])
    return next(folder.iterdir())


@pytest.mark.parametrize("syntax", [JPEG2000Lossless, JPEGLSLossless])
def test_a_compressed_frame_must_have_the_size_of_its_header(syntax: UID, tmp_path: Path) -> None:
    path = slice_in(tmp_path, syntax, Rows=39)
    told = r"the compressed image has another size \(size=40 x 48, allowed 39 x 48\)"
    with pytest.raises(FormatError, match=told):
        list(read_pixels(path))


def test_a_frame_that_claims_gigabytes_is_not_decoded(tmp_path: Path) -> None:
    """The header of the file is honest, that of the JPEG 2000 frame is not."""
    path = slice_in(tmp_path, JPEG2000Lossless)
    dataset = dcmread(path)
    (frame,) = generate_frames(dataset.PixelData, number_of_frames=1)
    place = frame.index(b"\xff\x4f\xff\x51") + 8
    dataset.PixelData = encapsulate([frame[:place] + b"\0\0\xff\xff" * 2 + frame[place + 8 :]])
    dataset.save_as(path)
    with pytest.raises(FormatError, match="size=65535 x 65535, allowed 40 x 48"):
        list(read_pixels(path))


def test_a_run_length_frame_of_another_size(tmp_path: Path) -> None:
    path = slice_in(tmp_path, RLELossless, Rows=4000, Columns=4000)
    with pytest.raises(FormatError, match="can't be read as DICOM"):
        list(read_pixels(path))


def test_what_is_no_frame() -> None:
    for syntax in (JPEG2000Lossless, JPEGLSLossless, JPEGLosslessSV1):
        for frame in (b"", b"\xff\xd8", b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"abc" * 99):
            with pytest.raises(FormatError, match="size=none"):
                check_frame_size(frame, syntax, 1, 1)


def test_no_pixels(tmp_path: Path) -> None:
    (dataset,) = series(PLAN, pixels(PLAN))[:1]
    del dataset.PixelData
    dataset.ImageComments = "x" * 5000
    save(tmp_path, [dataset])
    with pytest.raises(FormatError, match="no pixels"):
        list(read_pixels(next(tmp_path.iterdir())))


def test_missing_frames_of_a_compressed_file(tmp_path: Path) -> None:
    path = slice_in(tmp_path, JPEGLSLossless, NumberOfFrames=2)
    with pytest.raises(FormatError):
        list(read_pixels(path, (0, 1)))


_WITHOUT = """
import sys
sys.modules.update(gdcm=None, openjpeg=None, pylibjpeg=None, PIL=None)
from pathlib import Path
from gliomask.formats.dicom.file import read_file
print(read_file(Path(sys.argv[1])).problem)
"""


def test_without_a_decoder_the_extra_is_named(tmp_path: Path) -> None:
    path = slice_in(tmp_path, JPEG2000Lossless)
    told = subprocess.run(
        [sys.executable, "-c", _WITHOUT, str(path)], check=True, capture_output=True, text=True
    )
    assert told.stdout.rstrip().endswith(
        "a compression whose decoder isn't installed (TransferSyntaxUID=JPEG 2000 Image Compression"
        ' (Lossless Only)); pip install "gliomask[jpeg]"'
    )


def test_a_compression_that_nobody_reads(tmp_path: Path) -> None:
    path = slice_in(tmp_path, RLELossless)
    dataset = dcmread(path)
    dataset.file_meta.TransferSyntaxUID = UID("1.2.840.10008.1.2.4.100")
    dataset.save_as(path)
    problem = read_file(path).problem
    assert problem is not None
    assert "a compression that isn't read (TransferSyntaxUID=MPEG2" in problem


@pytest.mark.parametrize("seed", range(4))
def test_damaged_files_are_answered_in_one_line(seed: int, tmp_path: Path) -> None:
    """Mutants of a real header: each is read, skipped or refused, and none crashes."""
    if SMALL is None:
        pytest.skip("pydicom comes without its test files")
    original = Path(SMALL).read_bytes()
    random_bytes = random.Random(seed)
    path = tmp_path / "a.dcm"
    read = 0
    for _ in range(100):
        content = bytearray(original)
        for _ in range(random_bytes.choice((1, 3, 20))):
            content[random_bytes.randrange(128, 2000)] = random_bytes.randrange(256)
        path.write_bytes(content)
        found = survey_files([path])
        assert len(found.refused) + found.skipped == 1
        assert all("\n" not in one.reason for one in found.refused)
        try:
            read += len(list(read_pixels(path)))
        except FormatError as problem:
            assert "\n" not in str(problem)  # noqa: PT017
    assert read > 10


def test_pixels_of_a_real_slice_in_every_syntax() -> None:
    names = ("", "_RLE", "_bigendian", "_expb", "_implicit", "_padded", "_jp2klossless",
             "_jpeg_ls_lossless")  # fmt: skip
    files = [get_testdata_file(f"MR_small{name}.dcm", download=False) for name in names]
    if None in files:
        pytest.skip("pydicom comes without its test files")
    images = [next(read_pixels(Path(str(file)))) for file in files]
    assert images[0].shape == (64, 64)
    assert all(np.array_equal(image, images[0]) for image in images)
