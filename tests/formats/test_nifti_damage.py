"""Damaged files: cut, flipped, lengthened, inflated. None gets through with other voxels."""

from __future__ import annotations

import gzip
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from gliomask.errors import FormatError
from gliomask.formats import content as file_content
from gliomask.formats.nifti import read_nifti
from tests.formats.raw_nifti import by_nibabel, content, image, write

ARRAY = image((24, 20, 12))
PACKED = gzip.compress(content(ARRAY), mtime=0)


def refused(path: Path) -> str:
    """The one line with which a file is refused."""
    with pytest.raises(FormatError) as refusal:
        read_nifti(path)
    text = str(refusal.value)
    assert "\n" not in text
    assert str(path) in text
    return text


@pytest.mark.parametrize("share", [0, 0.001, 0.01, 0.1, 0.5, 0.9, 0.999])
def test_a_cut_gzip_file(tmp_path: Path, share: float) -> None:
    path = tmp_path / "cut.nii.gz"
    path.write_bytes(PACKED[: int(share * len(PACKED))])
    refused(path)


@pytest.mark.parametrize("missing", range(1, 9))
def test_a_cut_gzip_trailer(tmp_path: Path, missing: int) -> None:
    path = tmp_path / "cut.nii.gz"
    path.write_bytes(PACKED[:-missing])
    assert "truncated" in refused(path)


@pytest.mark.parametrize("size", [0, 3, 300, 351, 352, 1000, 352 + ARRAY.nbytes - 1])
def test_a_cut_plain_file(tmp_path: Path, size: int) -> None:
    refused(write(tmp_path / "cut.nii", content(ARRAY)[:size]))


def test_200_flipped_bits(tmp_path: Path) -> None:
    path, random = tmp_path / "flip.nii.gz", np.random.default_rng(7)
    harmless = 0
    for bit in random.integers(80, 8 * len(PACKED), 200):
        damaged = bytearray(PACKED)
        damaged[bit // 8] ^= 1 << (bit % 8)
        path.write_bytes(damaged)
        try:
            voxels, _ = read_nifti(path)
        except FormatError:
            continue
        assert np.array_equal(voxels, ARRAY)
        harmless += 1
    assert harmless <= 2


@pytest.mark.parametrize("place", range(-8, 0))
def test_a_flipped_bit_of_the_trailer(tmp_path: Path, place: int) -> None:
    damaged = bytearray(PACKED)
    damaged[place] ^= 4
    path = tmp_path / "flip.nii.gz"
    path.write_bytes(damaged)
    assert "damaged gzip stream" in refused(path)


@pytest.mark.parametrize("tail", [b"x", bytes(16), b"garbage", PACKED])
def test_what_follows_the_voxels_is_left_alone(tmp_path: Path, tail: bytes) -> None:
    """As nibabel and ITK do it; the checksum of what comes before is looked at all the same."""
    write(tmp_path / "a.nii", content(ARRAY) + tail)
    write(tmp_path / "a.nii.gz", content(ARRAY) + tail)
    (tmp_path / "b.nii.gz").write_bytes(PACKED + tail)
    for name in ("a.nii", "a.nii.gz", "b.nii.gz"):
        assert np.array_equal(read_nifti(tmp_path / name)[0], ARRAY)
        assert np.array_equal(np.asarray(by_nibabel(tmp_path / name).dataobj), ARRAY)
    damaged = bytearray(PACKED + tail)
    damaged[len(PACKED) - 6] ^= 4  # in the checksum
    (tmp_path / "b.nii.gz").write_bytes(damaged)
    assert "damaged gzip stream" in refused(tmp_path / "b.nii.gz")


def test_far_too_much_after_the_voxels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_content, "FREE_BYTES", 1000)
    assert "contains far more" in refused(
        write(tmp_path / "a.nii.gz", content(ARRAY) + bytes(1001))
    )


def test_gzip_is_known_by_its_content(tmp_path: Path) -> None:
    (tmp_path / "packed.nii").write_bytes(PACKED)
    (tmp_path / "plain.nii.gz").write_bytes(content(ARRAY))
    for name in ("packed.nii", "plain.nii.gz"):
        assert np.array_equal(read_nifti(tmp_path / name)[0], ARRAY)


class CountingGzip(gzip.GzipFile):
    """gzip file that counts the decompressed bytes."""

    total = 0

    def read(self, size: int | None = -1) -> bytes:
        content = super().read(size)
        CountingGzip.total += len(content)
        return content


def test_a_bomb_is_refused_by_its_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 400 MB only the header is decompressed."""
    header = content(np.zeros((1, 1, 1), np.int16), dim=[3, 640, 640, 500, 1, 1, 1, 1])[:352]
    path = tmp_path / "bomb.nii.gz"
    path.write_bytes(gzip.compress(header) + 40 * gzip.compress(bytes(10_240_000)))
    monkeypatch.setattr(gzip, "GzipFile", CountingGzip)
    monkeypatch.setattr(CountingGzip, "total", 0)
    tracemalloc.start()
    try:
        assert "decompresses too far" in refused(path)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()
    assert 352 <= CountingGzip.total < 2000


def test_an_empty_mask_is_no_bomb(tmp_path: Path) -> None:
    path = write(tmp_path / "empty.nii.gz", content(np.zeros((240, 240, 155), np.uint8)))
    assert path.stat().st_size * 500 < 240 * 240 * 155
    assert not read_nifti(path)[0].any()


@pytest.mark.parametrize("kind", ["missing", "folder"])
def test_what_is_no_file(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.nii.gz"
    if kind == "folder":
        path.mkdir()
    refused(path)
