"""NRRD, MetaImage, MGH and NIfTI pairs: voxels and grid come back, judged by other readers."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nibabel as nib
import nrrd
import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk  # noqa: N813 - as all of its documentation calls it

from gliomask.core.case import ImageFile
from gliomask.errors import FormatError
from gliomask.formats.file_key import file_key
from gliomask.formats.headers import image_header
from gliomask.formats.images import read_image, read_labels
from gliomask.formats.volumes import FORMATS, files_of, volume_format
from tests.formats.raw_nifti import image

TURNED = np.array([[0.0, -0.9, 0, 31], [0, 0, 2.5, -20], [1.1, 0, 0, 7], [0, 0, 0, 1]])
"""Voxel to RAS+: i runs up, j to the left, k to the front."""
LPS = np.diag([-1.0, -1, 1, 1])


def write(path: Path, array: npt.NDArray[Any], affine: npt.NDArray[np.float64] = TURNED) -> Path:
    form = volume_format(path)
    assert form is not None
    form.codec.write_volume(path, array, affine, "For research use only")
    return path


def by_simpleitk(path: Path) -> tuple[npt.NDArray[Any], npt.NDArray[np.float64]]:
    found = sitk.ReadImage(str(path))
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(found.GetDirection(), (3, 3)) * np.array(found.GetSpacing())
    affine[:3, 3] = found.GetOrigin()
    return sitk.GetArrayFromImage(found).T, LPS @ affine


def by_pynrrd(path: Path) -> tuple[npt.NDArray[Any], npt.NDArray[np.float64]]:
    array, header = nrrd.read(str(path))
    assert header["space"] == "left-posterior-superior"
    affine = np.eye(4)
    affine[:3, :3] = header["space directions"].T
    affine[:3, 3] = header["space origin"]
    return array, LPS @ affine


def by_nibabel(path: Path) -> tuple[npt.NDArray[Any], npt.NDArray[np.float64]]:
    opened: Any = nib.MGHImage if path.suffix == ".mgh" else None
    found: Any = opened.from_bytes(path.read_bytes()) if opened else nib.load(path)
    return np.asarray(found.dataobj), found.affine


def by_hand(path: Path) -> tuple[npt.NDArray[Any], npt.NDArray[np.float64]]:
    """A compressed ``.mha`` of 8 or 16 bits, from its text and its zlib stream."""
    import zlib

    head, _, rest = path.read_bytes().partition(b"ElementDataFile = LOCAL\n")
    fields = dict(line.split(" = ", 1) for line in head.decode().splitlines())
    kind = {"MET_UCHAR": "u1", "MET_SHORT": "<i2", "MET_FLOAT": "<f4"}[fields["ElementType"]]
    sizes = [int(n) for n in fields["DimSize"].split()]
    array = np.frombuffer(zlib.decompress(rest), kind).reshape(sizes, order="F")
    affine = np.eye(4)
    matrix = np.array(fields["TransformMatrix"].split(), float).reshape(3, 3).T
    affine[:3, :3] = matrix * np.array(fields["ElementSpacing"].split(), float)
    affine[:3, 3] = np.array(fields["Offset"].split(), float)
    return array, LPS @ affine


READERS: Mapping[str, tuple[Any, ...]] = {
    ".nrrd": (by_simpleitk, by_pynrrd),
    ".mha": (by_simpleitk, by_hand),
    ".mgz": (by_nibabel,),
    ".mgh": (by_nibabel,),
    ".nii.gz": (by_nibabel, by_simpleitk),
}


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
@pytest.mark.parametrize("suffix", READERS)
def test_what_is_written_is_read_by_others_and_by_us(
    tmp_path: Path, suffix: str, dtype: str
) -> None:
    array = (image() % 200).astype(dtype)
    path = write(tmp_path / f"a{suffix}", array)
    for read in READERS[suffix]:
        voxels, affine = read(path)
        assert np.array_equal(voxels, array)
        assert np.allclose(affine, TURNED, atol=1e-5)
    ours = read_image(ImageFile((path,)))
    assert np.array_equal(ours.array, array)
    assert np.allclose(ours.affine, TURNED, atol=1e-5)
    assert ours.has_world
    assert image_header(ImageFile((path,))).shape == array.shape
    assert np.array_equal(read_labels(ImageFile((path,)))[0], array)
    assert list(tmp_path.iterdir()) == [path]


def test_every_format_is_tried() -> None:
    assert {one.written for one in FORMATS} <= READERS.keys()


@pytest.mark.parametrize("suffix", [".nrrd", ".mha", ".mgz", ".mgh"])
def test_every_truncation_and_damage_of_packed_voxels_is_seen(tmp_path: Path, suffix: str) -> None:
    whole = write(tmp_path / f"a{suffix}", image()).read_bytes()
    path = tmp_path / f"b{suffix}"
    for size in range(0, len(whole), 29):
        path.write_bytes(whole[:size])
        with pytest.raises(FormatError) as refusal:
            read_image(ImageFile((path,)))
        assert "\n" not in str(refusal.value)
    if suffix == ".mgh":
        return
    for place in range(len(whole) - 200, len(whole), 13):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 16]) + whole[place + 1 :])
        with pytest.raises(FormatError):
            read_image(ImageFile((path,)))


def test_a_sizes_lie_costs_no_memory(tmp_path: Path) -> None:
    for suffix, old in ((".nrrd", b"sizes: 7 6 5"), (".mha", b"DimSize = 7 6 5")):
        path = write(tmp_path / f"a{suffix}", image())
        for sizes, what in ((b"70000 60000 5", "too large"), (b"700 600 500", "can't hold")):
            lie = path.read_bytes().replace(old, old.replace(b"7 6 5", sizes))
            (tmp_path / f"b{suffix}").write_bytes(lie)
            with pytest.raises(FormatError, match=what):
                image_header(ImageFile((tmp_path / f"b{suffix}",)))


@pytest.mark.parametrize(
    "name",
    [
        "/etc/hostname",
        "../a.raw",
        "../s%03d.raw 1 5 1",
        "LIST\n../a.raw",
        "LIST\n/etc/hostname",
        "..",
    ],
)
def test_voxels_in_another_place_are_not_looked_for(tmp_path: Path, name: str) -> None:
    sitk.WriteImage(sitk.GetImageFromArray(image()), str(tmp_path / "a.mhd"))
    sitk.WriteImage(sitk.GetImageFromArray(image()), str(tmp_path / "b.nhdr"))
    for header in ("a.mhd", "b.nhdr"):
        path = tmp_path / header
        text = path.read_text().replace(f"{header[0]}.raw", name)
        path.write_text(text)
        with pytest.raises(
            FormatError, match=r"its voxels are in another folder.*save it as one file"
        ):
            image_header(ImageFile((path,)))


@pytest.mark.parametrize("name", ["a.mhd", "a.nhdr", "packed.mhd", "packed.nhdr"])
def test_a_header_with_its_data_beside_it(tmp_path: Path, name: str) -> None:
    array = image()
    made = sitk.GetImageFromArray(array.T.copy())
    sitk.WriteImage(made, str(tmp_path / name), name.startswith("packed"))
    assert np.array_equal(read_image(ImageFile((tmp_path / name,))).array, array)
    data = next(path for path in tmp_path.iterdir() if path.name != name)
    data.write_bytes(data.read_bytes()[:-40])
    with pytest.raises(FormatError, match="truncated"):
        read_image(ImageFile((tmp_path / name,)))
    data.unlink()
    with pytest.raises(FormatError, match=rf"{data.name}: no such file"):
        read_image(ImageFile((tmp_path / name,)))


SPACES: Mapping[str, npt.NDArray[np.float64]] = {
    "left-posterior-superior": LPS,
    "right-anterior-superior": np.eye(4),
    "left-anterior-superior": np.diag([-1.0, 1, 1, 1]),
}


@pytest.mark.parametrize("encoding", ["raw", "gzip", "ascii"])
@pytest.mark.parametrize("space", SPACES)
def test_nrrd_of_any_space_and_encoding(tmp_path: Path, space: str, encoding: str) -> None:
    path, array = tmp_path / "a.nrrd", image()
    header = {
        "space": space, "space directions": TURNED[:3, :3].T, "space origin": TURNED[:3, 3],
        "encoding": encoding,
    }  # fmt: skip
    nrrd.write(str(path), array, header)
    found = read_image(ImageFile((path,)))
    assert np.array_equal(found.array, array)
    assert np.allclose(found.affine, SPACES[space] @ TURNED)


@pytest.mark.parametrize(
    "header", [{"spacings": [1, 2, 3]}, {"space dimension": 3, "space directions": np.eye(3)}, {}]
)
def test_an_nrrd_that_does_not_say_where_left_is(tmp_path: Path, header: dict[str, Any]) -> None:
    nrrd.write(str(tmp_path / "a.nrrd"), image(), header)
    with pytest.raises(FormatError, match="orientation unknown"):
        image_header(ImageFile((tmp_path / "a.nrrd",)))


def nrrd_in(space: str, path: Path) -> None:
    """An NRRD file in a space of any name, also one that its writers refuse."""
    written = path.with_name("lps.nrrd")
    header = {
        "space": "left-posterior-superior", "space directions": TURNED[:3, :3].T,
        "space origin": TURNED[:3, 3],
    }  # fmt: skip
    nrrd.write(str(written), image(), header)
    old = b"space: left-posterior-superior"
    content = written.read_bytes()
    assert content.count(old) == 1
    path.write_bytes(content.replace(old, f"space: {space}".encode()))


@pytest.mark.parametrize(
    "space", ["RAS", "ras", "Right-Anterior-Superior", "right anterior superior"]
)
def test_an_nrrd_with_another_spelling_of_its_space(tmp_path: Path, space: str) -> None:
    nrrd_in(space, tmp_path / "a.nrrd")
    assert np.allclose(read_image(ImageFile((tmp_path / "a.nrrd",))).affine, TURNED)


@pytest.mark.parametrize("space", ["scanner-xyz", "3D-right-handed", "3D-left-handed"])
def test_an_nrrd_in_a_space_that_is_not_the_patients(tmp_path: Path, space: str) -> None:
    nrrd_in(space, tmp_path / "a.nrrd")
    with pytest.raises(FormatError, match=f"orientation unknown.*space={space}, allowed left-post"):
        image_header(ImageFile((tmp_path / "a.nrrd",)))


@pytest.mark.parametrize(
    ("space", "known"),
    [
        ("left-posterior-superior-time", True),
        ("LPST", True),
        ("right-anterior-superior-time", False),
        ("left-anterior-superior-time", False),
        ("scanner-xyz-time", False),
    ],
)
def test_an_nrrd_with_time_as_an_axis_of_its_space(tmp_path: Path, space: str, known: bool) -> None:
    """SimpleITK converts none of these spaces to its own, which is only the first."""
    path, array = tmp_path / "a.nrrd", image((7, 6, 5, 3)).astype("<f4")
    lines = [
        "NRRD0005", "type: float", "dimension: 4", f"space: {space}", "sizes: 7 6 5 3",
        "space directions: (1,0,0,0) (0,2,0,0) (0,0,3,0) (0,0,0,1)", "space origin: (4,5,6,0)",
        "kinds: space space space time", "endian: little", "encoding: raw",
    ]  # fmt: skip
    path.write_bytes("\n".join([*lines, "", ""]).encode() + array.tobytes(order="F"))
    if known:
        affine = LPS @ np.array([[1, 0, 0, 4], [0, 2, 0, 5], [0, 0, 3, 6], [0, 0, 0, 1]])
        assert np.allclose(read_image(ImageFile((path,), 1)).affine, affine)
    else:
        with pytest.raises(FormatError, match="orientation unknown"):
            image_header(ImageFile((path,)))


def test_an_nrrd_without_directions_says_so(tmp_path: Path) -> None:
    nrrd_in("left-posterior-superior", tmp_path / "a.nrrd")
    lines = (tmp_path / "a.nrrd").read_bytes().split(b"\n")
    kept = [line for line in lines if not line.startswith(b"space directions")]
    (tmp_path / "a.nrrd").write_bytes(b"\n".join(kept))
    with pytest.raises(FormatError, match=r"orientation unknown \(space directions=None"):
        image_header(ImageFile((tmp_path / "a.nrrd",)))


@pytest.mark.parametrize("first", [True, False])
def test_an_nrrd_of_several_volumes(tmp_path: Path, first: bool) -> None:
    array = image((7, 6, 5, 3))
    rows = [list(row) for row in TURNED[:3, :3].T]
    none = [[np.nan] * 3]
    header = {
        "space": "right-anterior-superior", "space origin": TURNED[:3, 3],
        "space directions": none + rows if first else rows + none,
        "kinds": (["list"] if first else []) + ["domain"] * 3 + ([] if first else ["list"]),
    }  # fmt: skip
    nrrd.write(str(tmp_path / "a.nrrd"), np.moveaxis(array, -1, 0) if first else array, header)
    for channel in range(3):
        found = read_image(ImageFile((tmp_path / "a.nrrd",), channel))
        assert np.array_equal(found.array, array[..., channel])
        assert np.allclose(found.affine, TURNED)
    with pytest.raises(FormatError, match="4-D: 3 volumes instead of one mask"):
        read_labels(ImageFile((tmp_path / "a.nrrd",)))


def test_colour_is_no_volume(tmp_path: Path) -> None:
    made = sitk.GetImageFromArray(np.zeros((5, 6, 7, 3), np.uint8), isVector=True)
    for name in ("a.mha", "a.nrrd"):
        sitk.WriteImage(made, str(tmp_path / name))
        with pytest.raises(FormatError, match="not single numbers"):
            image_header(ImageFile((tmp_path / name,)))


def test_several_frames_of_mgh(tmp_path: Path) -> None:
    array = image((7, 6, 5, 3)).astype(np.float32)
    nib.save(nib.MGHImage(array, TURNED), tmp_path / "a.mgz")
    assert np.array_equal(read_image(ImageFile((tmp_path / "a.mgz",), 2)).array, array[..., 2])
    with pytest.raises(FormatError, match="4-D: 3 volumes"):
        read_labels(ImageFile((tmp_path / "a.mgz",)))


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("kind", [nib.Nifti1Pair, nib.Nifti2Pair])
def test_a_nifti_pair_by_either_half(tmp_path: Path, kind: Any, packed: bool) -> None:
    array = image()
    made = kind(array, TURNED)
    made.set_qform(TURNED, 1)
    nib.save(made, tmp_path / "a.img")
    if packed:
        data = (tmp_path / "a.img").read_bytes()
        (tmp_path / "a.img").unlink()
        (tmp_path / "a.img.gz").write_bytes(gzip.compress(data))
    for name in ("a.hdr", "a.img.gz" if packed else "a.img"):
        found = read_image(ImageFile((tmp_path / name,)))
        assert np.array_equal(found.array, array)
        assert np.allclose(found.affine, TURNED, atol=1e-5)
    (tmp_path / "a.hdr").rename(tmp_path / "b.hdr")
    for name in ("b.hdr", "a.img.gz" if packed else "a.img"):
        with pytest.raises(FormatError, match=r"one half of a .hdr/.img pair"):
            image_header(ImageFile((tmp_path / name,)))


def test_analyze_says_nothing_of_left_and_right(tmp_path: Path) -> None:
    nib.save(nib.AnalyzeImage(image(), np.diag([-1.0, 1, 1, 1])), tmp_path / "a.img")
    with pytest.raises(FormatError, match="ANALYZE"):
        image_header(ImageFile((tmp_path / "a.hdr",)))


@pytest.mark.parametrize(("name", "beside"), [("a.mhd", "a.raw"), ("a.hdr", "a.img")])
def test_all_files_of_a_volume_are_known(tmp_path: Path, name: str, beside: str) -> None:
    array = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    path = tmp_path / name
    if name.endswith(".mhd"):
        sitk.WriteImage(sitk.GetImageFromArray(array), str(path))
    else:
        nib.save(nib.Nifti1Pair(array, np.eye(4)), path)
    assert set(files_of(path)) == {path, tmp_path / beside}
    before = file_key([path])
    data = bytearray((tmp_path / beside).read_bytes())
    (tmp_path / beside).write_bytes(data + b"\0")
    assert file_key([path]) != before


def test_a_file_that_is_no_volume_stands_for_itself(tmp_path: Path) -> None:
    broken = tmp_path / "a.nrrd"
    broken.write_bytes(b"no header")
    assert files_of(broken) == (broken,)
    assert files_of(tmp_path / "a.txt") == (tmp_path / "a.txt",)


@pytest.mark.parametrize("text", ["NRRD0004 Quarxenfeld", "NRRD0004\nQuarxenfeld: 5\n\n"])
def test_what_is_wrong_with_a_header_is_said_without_its_text(tmp_path: Path, text: str) -> None:
    """Which may name a person."""
    path = tmp_path / "a.nrrd"
    path.write_text(text)
    with pytest.raises(FormatError) as refusal:
        read_image(ImageFile((path,)))
    assert "Quarx" not in str(refusal.value)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "A.NII.GZ"])
def test_a_nifti_file_that_is_no_pair_is_not_read_to_know_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Thousands of cases are listed by their files."""

    def read(*_: object) -> bytes:
        raise AssertionError("read")

    monkeypatch.setattr("gliomask.formats.nifti.read_start", read)
    assert files_of(tmp_path / name) == (tmp_path / name,)
