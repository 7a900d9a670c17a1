"""NRRD and MetaImage (MHA, MHD) to arrays and back, through SimpleITK.

SimpleITK reads these files. This module checks what SimpleITK does not: sizes in headers, data
files in other folders, damaged streams, and a space without directions, which it would take as
patient coordinates.
"""

from __future__ import annotations

import math
import re
import zlib
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk  # noqa: N813 - as all of its documentation calls it

from gliomask.core.atomic import atomic_path
from gliomask.core.volume import Affine, FloatArray
from gliomask.errors import FormatError
from gliomask.formats.content import check_packing, opened
from gliomask.formats.itk_header import TextHeader, read_text_header
from gliomask.formats.limits import MAX_VOXELS
from gliomask.formats.numbers import intensities, label_numbers
from gliomask.formats.volume_header import VolumeHeader, usable_affine

_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_READERS = {"NRRD": "NrrdImageIO", "MetaImage": "MetaImageIO"}
_BYTES = {
    sitk.sitkUInt8: 1, sitk.sitkInt8: 1, sitk.sitkUInt16: 2, sitk.sitkInt16: 2,
    sitk.sitkUInt32: 4, sitk.sitkInt32: 4, sitk.sitkUInt64: 8, sitk.sitkInt64: 8,
    sitk.sitkFloat32: 4, sitk.sitkFloat64: 8,
}  # fmt: skip
_LIST = {
    sitk.sitkVectorUInt8: 1, sitk.sitkVectorInt8: 1, sitk.sitkVectorUInt16: 2,
    sitk.sitkVectorInt16: 2, sitk.sitkVectorUInt32: 4, sitk.sitkVectorInt32: 4,
    sitk.sitkVectorUInt64: 8, sitk.sitkVectorInt64: 8, sitk.sitkVectorFloat32: 4,
    sitk.sitkVectorFloat64: 8,
}  # fmt: skip
_ORIENTED: Final = {
    "space": "left-posterior-superior, right-anterior-superior or left-anterior-superior",
    "space directions": "a vector for each axis",
}
"""Field of the header -> its values that state the orientation."""
_CHUNK = 2**20
_ZLIB_OR_GZIP = 47

sitk.ProcessObject.SetGlobalWarningDisplay(False)  # relevant problems are refused


def files(path: Path) -> tuple[Path, ...]:
    """The header, and the files of the voxels.

    Raises:
        FormatError: as ``read_header``.
    """
    return tuple(dict.fromkeys((path, *read_text_header(path).data)))


def read_header(path: Path) -> VolumeHeader:
    """The grid of a file, without reading its voxels.

    Raises:
        FormatError: missing, not NRRD or MetaImage, impossible or unusable sizes, colour,
            unknown orientation, or data that lies elsewhere or can't be there.
    """
    return _opened(path)[1]


def read_volumes(path: Path) -> tuple[FloatArray, Affine]:
    """All volumes of a file (I, J, K, N), float32, finite, and its affine.

    Raises:
        FormatError: as ``read_header``; truncated, damaged; NaN or infinite voxels.
    """
    header, voxels = _read(path)
    return intensities(voxels, path), header.affine


def read_labels(path: Path) -> tuple[npt.NDArray[np.integer], Affine]:
    """A label volume (I, J, K) of whole numbers, and its affine.

    Raises:
        FormatError: as ``read_volumes``; several volumes; a voxel that is not a whole number.
    """
    header, voxels = _read(path)
    header.check_single(path)
    return label_numbers(voxels[..., 0], path), header.affine


def write_volume(path: Path, array: npt.NDArray[Any], affine: Affine, note: str = "") -> None:
    """Write a volume (I, J, K), compressed, atomically.

    Args:
        path: ends in ``.nrrd`` or ``.mha``.
        array: of a type that the format supports.
        affine: (4, 4), voxel index to RAS+ millimetres; without shear.
        note: a text that the file carries, e.g. what it may be used for.
    """
    image = sitk.GetImageFromArray(np.ascontiguousarray(array.T))
    lps = _LPS_TO_RAS @ affine
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetOrigin(lps[:3, 3].tolist())
    image.SetDirection((lps[:3, :3] / spacing).ravel().tolist())
    if note:
        image.SetMetaData("Comment", note)
    with atomic_path(path) as temporary:
        sitk.WriteImage(image, str(temporary), True)


_QUOTED: Final = re.compile(r'".*"|".*$', re.DOTALL)
"""Content of the file, which may name a person."""


def _opened(path: Path) -> tuple[Any, VolumeHeader]:
    text = read_text_header(path)
    reader = sitk.ImageFileReader()
    reader.SetImageIO(_READERS[text.kind])
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError as problem:
        raise FormatError(
            f"not a usable {text.kind} header: {_reason(problem)}", path=path
        ) from None
    header = _checked(reader, text, path)
    return reader, header


def _checked(reader: Any, text: TextHeader, path: Path) -> VolumeHeader:
    size, volumes = reader.GetSize(), reader.GetNumberOfComponents()
    if len(size) not in (3, 4):
        value = len(size)
        raise FormatError("not a volume", path=path, field="dimension", found=value, allowed="3, 4")
    volumes *= size[3] if len(size) == 4 else 1
    voxels = math.prod(size[:3]) * volumes
    if not 0 < voxels <= MAX_VOXELS:
        allowed = f"up to {MAX_VOXELS} voxels together"
        raise FormatError("too large", path=path, field="sizes", found=list(size), allowed=allowed)
    if text.unoriented is not None:
        raise FormatError(
            "orientation unknown",
            path=path,
            field=text.unoriented,
            found=text.fields.get(text.unoriented),
            allowed=_ORIENTED[text.unoriented],
            hint="set it with the tool that wrote the file",
        )
    needed = voxels * _item_bytes(reader, path)
    check_packing(path, text.stored, needed, packed=text.packed)
    if len(text.data) > 1 and text.stored != needed:
        what, allowed = "its files of voxels contain more than it needs", f"{needed} bytes together"
        value = text.stored
        raise FormatError(what, path=path, field="data file", found=value, allowed=allowed)
    affine = usable_affine(_affine(reader), "directions", path)
    return VolumeHeader((size[0], size[1], size[2]), affine, volumes)


def _item_bytes(reader: Any, path: Path) -> int:
    """Bytes of a number; several numbers in a voxel must be a list of volumes, not a colour."""
    key = "NRRD_kinds[pixel]"
    listed = reader.HasMetaDataKey(key) and reader.GetMetaData(key) == "list"
    kinds = {**_BYTES, **(_LIST if listed else {})}
    if reader.GetPixelIDValue() not in kinds:
        pixel_type = sitk.GetPixelIDValueAsString(reader.GetPixelIDValue())
        what = "voxels that are not single numbers"
        raise FormatError(what, path=path, field="type", found=pixel_type)
    return kinds[reader.GetPixelIDValue()]


def _affine(reader: Any) -> Affine:
    dimension = reader.GetDimension()
    directions = np.reshape(reader.GetDirection(), (dimension, dimension))[:3, :3]
    lps = np.eye(4)
    lps[:3, :3] = directions * np.array(reader.GetSpacing()[:3])
    lps[:3, 3] = reader.GetOrigin()[:3]
    return _LPS_TO_RAS @ lps


def _read(path: Path) -> tuple[VolumeHeader, npt.NDArray[Any]]:
    text = read_text_header(path)
    reader, header = _opened(path)
    if text.stream_at is not None:
        _check_stream(text)
    try:
        image = reader.Execute()
    except RuntimeError as problem:
        raise FormatError(f"truncated or damaged: {_reason(problem)}", path=path) from None
    array = sitk.GetArrayFromImage(image)  # (N or nothing, K, J, I, C or nothing)
    if image.GetNumberOfComponentsPerPixel() > 1:
        array = np.moveaxis(array, -1, 0)
    voxels = array.reshape(-1, *header.shape[::-1]).transpose(3, 2, 1, 0)
    return header, voxels


def _check_stream(text: TextHeader) -> None:
    """SimpleITK does not verify the checksum."""
    inflating = zlib.decompressobj(_ZLIB_OR_GZIP)
    (data,) = text.data  # several are never compressed
    with opened(data) as file:
        file.seek(text.stream_at or 0)
        try:
            while not inflating.eof and (chunk := inflating.unconsumed_tail or file.read(_CHUNK)):
                inflating.decompress(chunk, _CHUNK)
        except zlib.error as problem:
            raise FormatError(f"damaged stream: {problem}", path=data) from None
    if not inflating.eof:
        raise FormatError("truncated: the stream ends too early", path=data)


def _reason(problem: RuntimeError) -> str:
    """The last line of SimpleITK's message, without its source files and quoted paths."""
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
    reason = lines[-1].rsplit("): ", 1)[-1] if lines else "no reason given"
    return _QUOTED.sub("...", reason)[:200]
