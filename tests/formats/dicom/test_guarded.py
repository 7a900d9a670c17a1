"""The child that decodes lossless JPEG: it may die, we may not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.encaps import encapsulate, generate_frames

from gliomask.errors import FormatError
from gliomask.formats.dicom.guarded import GuardedDecoder
from gliomask.formats.dicom.pixels import read_frames, read_pixels
from tests.formats.dicom.made import Plan, lossless_jpeg, pixels, save, series

PLAN = Plan(rows=40, columns=48)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Six slices in lossless JPEG, in their order."""
    save(tmp_path, series(PLAN, pixels(PLAN)))
    for path in tmp_path.iterdir():
        lossless_jpeg(path)
    return sorted(tmp_path.iterdir(), key=lambda path: int(dcmread(path).InstanceNumber))


def test_files_are_decoded_by_one_child(files: list[Path]) -> None:
    found = list(read_frames([(path, (0,)) for path in files]))
    assert np.array_equal(np.stack(found), pixels(PLAN))


def test_nothing_is_started_for_nothing() -> None:
    with GuardedDecoder() as guarded:
        assert guarded._process is None
    assert list(read_frames([])) == []


def test_a_child_that_dies_is_an_error_of_the_file(files: list[Path]) -> None:
    with GuardedDecoder() as guarded:
        (first,) = guarded.decode(files[0], (0,), (40, 48))
        assert np.array_equal(first, pixels(PLAN)[0])
        process = guarded._process
        assert process is not None
        process.kill()
        process.wait()
        with pytest.raises(FormatError, match="its decoder crashed or hung") as caught:
            list(guarded.decode(files[1], (0,), (40, 48)))
    assert caught.value.path == files[1]


def test_what_the_decoder_makes_up_is_refused(files: list[Path]) -> None:
    """Cut off in the middle, libjpeg fills the rest with what it likes, and only complains."""
    dataset = dcmread(files[0])
    (frame,) = generate_frames(dataset.PixelData, number_of_frames=1)
    dataset.PixelData = encapsulate([frame[: len(frame) // 2] + b"\xff\xd9"])
    dataset.save_as(files[0])
    with pytest.raises(FormatError, match=r"can't be decoded: .*premature end"):
        list(read_pixels(files[0]))


def test_the_child_ends_with_the_context(files: list[Path]) -> None:
    with GuardedDecoder() as guarded:
        list(guarded.decode(files[0], (0,), (40, 48)))
        process = guarded._process
    assert process is not None
    assert process.poll() is not None
