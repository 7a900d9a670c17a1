"""What two independent readers read alike, we read, and equally.

Tested on the files that other projects ship inside their packages, and on files that each writer
makes with odd but valid settings. A reader that can't open a file, or reads it otherwise than the
second one, says nothing about it; so the numbers of files that count are asserted too.
"""

from __future__ import annotations

import gzip
import itertools
import warnings
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import imagecodecs
import nibabel as nib
import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk  # noqa: N813 - as all of its documentation calls it
import tifffile
from PIL import Image

from gliomask.core.case import ImageFile
from gliomask.errors import FormatError
from gliomask.formats.images import read_image
from gliomask.formats.picture import read_pages

Array = npt.NDArray[Any]
Placed = tuple[Array, npt.NDArray[np.float64]]
PACKAGES = ("matplotlib", "nibabel", "nilearn", "pydicom", "scipy", "sklearn")
PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
VOLUMES = (".nii", ".nii.gz", ".hdr", ".mgz", ".mgh", ".nrrd", ".mha")
MOST_BYTES = 3_000_000
RNG = np.random.default_rng(5)


def shipped(endings: tuple[str, ...]) -> list[Path]:
    """The files of these kinds in the packages that we develop with."""
    found = []
    for name in PACKAGES:
        spec = find_spec(name)
        for place in (spec.submodule_search_locations or ()) if spec else ():
            files = (path for path in Path(place).rglob("*") if path.is_file())
            found += [p for p in files if p.name.lower().endswith(endings)]
    return sorted(path for path in found if path.stat().st_size < MOST_BYTES)


def tried(read: Callable[[Path], Any], path: Path) -> Any:
    """What a reader makes of a file; None if it can't read it, for whatever reason."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return read(path)
    except Exception:
        return None


def by_pillow(path: Path) -> Array:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB") if picture.mode in ("P", "PA") else picture)


def by_codec(path: Path) -> Array:
    data = path.read_bytes()
    if data.startswith(b"\x89PNG"):
        return np.asarray(imagecodecs.png_decode(data))
    if data.startswith(b"\xff\xd8"):
        return np.asarray(imagecodecs.jpeg_decode(data))
    return tifffile.imread(path)


def same_shades(ours: Array, theirs: Array) -> bool:
    """Whether two arrays show the same, channels last, opacity left out."""
    theirs = theirs if theirs.ndim == 3 else theirs[..., np.newaxis]
    if theirs.shape[-1] in (2, 4):
        theirs = theirs[..., :-1]
    if ours.shape[-1] == 1 and theirs.shape[-1] == 3:
        ours = np.repeat(ours, 3, axis=-1)
    return ours.shape == theirs.shape and bool((ours == theirs).all())


def transparent(array: Array) -> bool:
    return array.ndim == 3 and array.shape[-1] in (2, 4) and bool((array[..., -1] != 255).any())


def test_pictures_that_other_projects_ship() -> None:
    """Transparent ones are refused: what these show depends on what lies behind."""
    read = seen_through = 0
    for path in shipped(PICTURES):
        one, other = tried(by_pillow, path), tried(by_codec, path)
        if one is None or other is None or not np.array_equal(one, other):
            continue
        if transparent(one):
            seen_through += 1
            with pytest.raises(FormatError, match="transparent"):
                read_pages(path)
            continue
        assert same_shades(read_pages(path)[0], one), path
        read += 1
    assert read >= 3
    assert seen_through >= 10


def by_nibabel(path: Path) -> Placed:
    found: Any = nib.load(path)
    forms = ("sform_code", "qform_code")
    if isinstance(found.header, nib.Nifti1Header) and not any(found.header[f] for f in forms):
        raise ValueError("nibabel guesses where left is")
    if type(found) in (nib.AnalyzeImage, nib.Spm99AnalyzeImage, nib.Spm2AnalyzeImage):
        raise ValueError("nibabel guesses where left is")
    return np.asarray(found.dataobj, np.float32), found.affine


def by_simpleitk(path: Path) -> Placed:
    found: Any = sitk.ReadImage(str(path))
    if found.GetDimension() != 3 or found.GetNumberOfComponentsPerPixel() != 1:
        raise ValueError("no volume")
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(found.GetDirection(), (3, 3)) * np.array(found.GetSpacing())
    affine[:3, 3] = found.GetOrigin()
    array = sitk.GetArrayFromImage(found).astype(np.float32)
    return array.T, np.diag([-1.0, -1, 1, 1]) @ affine


def alike(one: Placed, other: Placed) -> bool:
    close = one[0].shape == other[0].shape and np.allclose(one[0], other[0], rtol=1e-6)
    return bool(close and np.allclose(one[1], other[1], atol=1e-3))


def test_volumes_that_other_projects_ship() -> None:
    read = 0
    for path in shipped(VOLUMES):
        one, other = tried(by_nibabel, path), tried(by_simpleitk, path)
        if path.suffix in (".mgz", ".mgh"):
            other = one  # the only reader there is beside FreeSurfer's own
        if one is None or other is None or not alike(one, other):
            continue
        ours = read_image(ImageFile((path,), None if one[0].ndim == 3 else 0))
        whole = one[0] if one[0].ndim == 3 else one[0][..., 0]
        assert alike((ours.array, ours.affine), (whole, one[1])), path
        read += 1
    assert read >= 10


def tiffs(folder: Path) -> Iterator[Path]:
    """Every combination of what a TIFF of 1, 8 or 16 bits may be, by tifffile."""
    kinds = {
        "bit": RNG.random((37, 29)) > 0.5, "grey": RNG.integers(0, 255, (37, 29)).astype("u1"),
        "deep": RNG.integers(0, 65535, (37, 29)).astype("u2"),
        "signed": RNG.integers(-999, 999, (37, 29)).astype("i2"),
        "float": RNG.normal(0, 9, (37, 29)).astype("f4"),
        "double": RNG.normal(0, 9, (37, 29)).astype("f8"),
        "colour": RNG.integers(0, 255, (37, 29, 3)).astype("u1"),
        "deep colour": RNG.integers(0, 65535, (37, 29, 3)).astype("u2"),
    }  # fmt: skip
    packings: tuple[dict[str, Any], ...] = (
        {}, {"compression": "deflate"}, {"compression": "lzw"}, {"compression": "packbits"},
        {"compression": "deflate", "predictor": True}, {"compression": "lzw", "predictor": True},
    )  # fmt: skip
    cuts: tuple[dict[str, Any], ...] = ({}, {"rowsperstrip": 11}, {"tile": (16, 16)})
    for (name, array), order, packing, cut in itertools.product(
        kinds.items(), "<>", packings, cuts
    ):
        if "predictor" in packing and name == "bit":
            continue
        path = folder / f"{len(list(folder.iterdir()))}.tif"
        colour = "rgb" if array.ndim == 3 else "minisblack"
        tifffile.imwrite(path, array, photometric=colour, byteorder=order, **packing, **cut)
        yield path


def test_tiffs_of_every_kind(tmp_path: Path) -> None:
    read = 0
    for path in tiffs(tmp_path):
        ours, theirs = read_pages(path)[0], tifffile.imread(path)
        assert same_shades(ours, theirs), path
        other = tried(by_pillow, path)
        read += other is not None and same_shades(ours, other)
    assert read >= 170


@pytest.mark.parametrize("settings", [{}, {"bigtiff": True}, {"planarconfig": "separate"}])
def test_tiffs_of_other_structures(tmp_path: Path, settings: dict[str, Any]) -> None:
    for dtype in ("u1", "u2"):
        array = RNG.integers(0, 255, (37, 29, 3)).astype(dtype)
        stored = array.transpose(2, 0, 1) if "planarconfig" in settings else array
        tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb", **settings)
        assert same_shades(read_pages(tmp_path / "a.tif")[0], array)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "I;16"])
@pytest.mark.parametrize("suffix", ["png", "tif", "jpg"])
def test_pictures_by_pillow(tmp_path: Path, mode: str, suffix: str) -> None:
    if suffix == "jpg" and mode not in ("L", "RGB"):
        pytest.skip("no JPEG holds it")
    shades = RNG.integers(0, 60_000 if mode == "I;16" else 255, (37, 29))
    picture = Image.fromarray(shades.astype("u2" if mode == "I;16" else "u1"))
    path = tmp_path / f"a.{suffix}"
    (picture if mode == "I;16" else picture.convert(mode)).save(path)
    ours = read_pages(path)[0]
    assert same_shades(ours, by_pillow(path))
    if mode != "P":
        assert same_shades(ours, by_codec(path) != 0 if mode == "1" else by_codec(path))


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_pngs_of_few_bits(tmp_path: Path, bits: int) -> None:
    picture = Image.fromarray(RNG.integers(0, 2**bits, (37, 29)).astype("u1"), "P")
    picture.putpalette([n * 255 // (2**bits - 1) for n in range(2**bits) for _ in range(3)])
    picture.save(tmp_path / "a.png", bits=bits)
    assert same_shades(read_pages(tmp_path / "a.png")[0], by_pillow(tmp_path / "a.png"))


FORMS = {"both": (1, 1), "sform": (2, 0), "qform": (0, 1)}


def niftis(folder: Path) -> Iterator[Path]:
    """NIfTI-1 and NIfTI-2 of every type, byte order, form and scaling, single files and pairs."""
    affine = np.array([[0.0, -0.9, 0, 31], [0, 0, 2.5, -20], [1.1, 0, 0, 7], [0, 0, 0, 1]])
    types = ("u1", "i1", "i2", "u2", "i4", "u4", "f4", "f8", "i8", "u8")
    scalings = ((np.nan, np.nan), (0.0, 0.0), (0.5, -3.0))
    settings = itertools.product((1, 2), "<>", types, FORMS.values(), scalings)
    for number, (version, order, kind, forms, scaling) in enumerate(settings):
        array = (np.arange(210).reshape(7, 6, 5) % 100).astype(kind)
        make: Any = nib.Nifti1Image if version == 1 else nib.Nifti2Image
        image = make(array, affine, dtype=array.dtype)
        image.set_sform(affine, forms[0])
        image.set_qform(affine, forms[1])
        head: Any = image.header.as_byteswapped(order) if order == ">" else image.header.copy()
        head["vox_offset"] = offset = int(head["sizeof_hdr"]) + (20 if number % 3 == 0 else 4)
        head["scl_slope"], head["scl_inter"] = scaling
        head["magic"] = b"n+1" if version == 1 else b"n+2"
        block = head.binaryblock.ljust(offset, b"\0")
        content = block + array.astype(f"{order}{kind}").tobytes(order="F")
        tail = bytes(number % 2 * 16)
        path = folder / f"{number}.nii{'.gz' if number % 4 == 0 else ''}"
        path.write_bytes(gzip.compress(content + tail) if path.suffix == ".gz" else content + tail)
        yield path


def test_niftis_of_every_kind(tmp_path: Path) -> None:
    judged = 0
    for path in niftis(tmp_path):
        one, other = tried(by_nibabel, path), tried(by_simpleitk, path)
        assert one is not None, path
        ours = read_image(ImageFile((path,)))
        assert alike((ours.array, ours.affine), one), path
        judged += other is not None and alike(one, other)
        path.unlink()
    assert judged >= 180


@pytest.mark.parametrize("dims", [(7, 6), (7, 6, 5, 1), (7, 6, 5, 1, 1), (7, 6, 5, 1, 1, 1)])
def test_niftis_with_fewer_and_more_dimensions(tmp_path: Path, dims: tuple[int, ...]) -> None:
    array = np.arange(np.prod(dims), dtype=np.int16).reshape(dims)
    image = nib.Nifti1Image(array, np.diag([1.0, 2, 3, 1]))
    image.set_qform(image.affine, 1)
    nib.save(image, tmp_path / "a.nii")
    assert np.array_equal(
        read_image(ImageFile((tmp_path / "a.nii",))).array.squeeze(), array.squeeze()
    )
