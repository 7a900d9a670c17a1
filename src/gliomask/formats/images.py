"""Image and mask files of any known format, chosen by the suffix.

DICOM files often have no suffix, so files that are neither volumes nor pictures by name are
recognised by content.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gliomask.core.case import ImageFile
from gliomask.core.geometry import PICTURE_AFFINE
from gliomask.core.volume import Affine, FloatArray
from gliomask.errors import FormatError
from gliomask.formats import matlab, picture, pictures, volumes
from gliomask.formats.dicom.magic import is_dicom
from gliomask.formats.dicom.read import read_series
from gliomask.formats.mask_pictures import read_mask_pictures
from gliomask.formats.matlab import is_matlab
from gliomask.formats.numbers import pick_volume
from gliomask.formats.volumes import is_volume
from gliomask.jobs.control import SILENT, Control

SUFFIXES = (*volumes.SUFFIXES, *picture.SUFFIXES)
"""Suffixes of readable files, in lower case; DICOM files may have any name."""


class Image(NamedTuple):
    """An image as read from its file.

    Attributes:
        array: (I, J, K) float32, finite.
        affine: (4, 4) float64, voxel index to RAS+ millimetres.
        has_world: whether the affine is the file's own, not a guess for pictures.
    """

    array: FloatArray
    affine: Affine
    has_world: bool


class _Content(NamedTuple):
    """All channels of a file or stack: (I, J, K, C)."""

    channels: npt.NDArray[Any]
    affine: Affine
    has_world: bool


def is_picture(path: Path) -> bool:
    """Return True if the suffix is that of a picture."""
    return path.name.lower().endswith(picture.SUFFIXES)


def is_series(paths: Sequence[Path]) -> bool:
    """Return True if the files of an image are DICOM: no suffix of another format, and the first
    begins as DICOM does."""
    named = any(is_volume(path) or is_picture(path) or is_matlab(path) for path in paths)
    return bool(paths) and not named and is_dicom(paths[0])


def read_image(file: ImageFile) -> Image:
    """One image, see ``read_images``."""
    return read_images((file,))[0]


def read_images(files: Sequence[ImageFile], control: Control = SILENT) -> tuple[Image, ...]:
    """Several images; a file with more than one of them is read only once.

    Args:
        files: to be read.
        control: reports each of them.

    Raises:
        FormatError: an unknown format; whatever the format finds wrong; no such channel; several
            channels and none chosen.
    """
    contents: dict[tuple[Path, ...], _Content] = {}
    images = []
    control.start(len(files), "image")
    for file in files:
        if is_series(file.paths):
            images.append(_read_series(file, control))
        else:
            if file.paths not in contents:
                contents[file.paths] = _read(file.paths)
            images.append(_choose(contents[file.paths], file))
        control.advance()
    return tuple(images)


def read_labels(
    file: ImageFile, *, numbered: bool = False, threshold: int | None = None
) -> tuple[npt.NDArray[np.integer], Affine]:
    """The numbers of a mask (I, J, K), not translated yet, and its affine.

    Args:
        file: the mask.
        numbered, threshold: how pictures of more than two grey levels are to be read, see
            ``read_mask_pictures``; refused if neither.

    Raises:
        FormatError: an unknown suffix; whatever the format finds wrong; no whole numbers.
    """
    if is_series(file.paths):
        raise FormatError("a DICOM series instead of a mask", path=file.paths[0])
    if is_matlab(file.paths[0]):
        return matlab.read_slice_mask(file.paths[0]), PICTURE_AFFINE
    if file_format := _volume_format(file.paths):
        return file_format.codec.read_labels(file.paths[0])
    numbers = read_mask_pictures(file.paths, numbered=numbered, threshold=threshold)
    return numbers, PICTURE_AFFINE


def _read(paths: tuple[Path, ...]) -> _Content:
    if is_matlab(paths[0]):
        slices = matlab.read_slice(paths[0])[..., np.newaxis]
        return _Content(slices, PICTURE_AFFINE, has_world=False)
    if file_format := _volume_format(paths):
        return _Content(*file_format.codec.read_volumes(paths[0]), has_world=True)
    return _Content(pictures.read_stack(paths), PICTURE_AFFINE, has_world=False)


def _read_series(file: ImageFile, control: Control) -> Image:
    return Image(*read_series(file.paths, file.channel, control), has_world=True)


def _choose(content: _Content, file: ImageFile) -> Image:
    choose = pick_volume if content.has_world else pictures.pick_channel
    array = choose(content.channels, file.channel, file.paths[0])
    return Image(array, content.affine, content.has_world)


def _volume_format(paths: tuple[Path, ...]) -> volumes.VolumeFormat | None:
    """The format of one volume file, None for pictures; anything else is refused."""
    if len(paths) == 1 and (file_format := volumes.volume_format(paths[0])):
        return file_format
    strange = [path for path in paths if not is_picture(path)]
    if strange:
        kinds, slices = ", ".join(volumes.SUFFIXES), ", ".join(picture.SUFFIXES)
        allowed = f"one of {kinds}, DICOM, or a stack of {slices}"
        found_name = strange[0].name
        raise FormatError(
            "not an image", path=strange[0], field="name", found=found_name, allowed=allowed
        )
    return None
