"""Grid of an image, from its header alone."""

from __future__ import annotations

from dataclasses import dataclass

from gliomask.core.case import ImageFile
from gliomask.core.geometry import PICTURE_AFFINE
from gliomask.core.volume import Affine
from gliomask.formats.dicom.read import series_grid
from gliomask.formats.images import is_series
from gliomask.formats.matlab import is_matlab, slice_shape
from gliomask.formats.pictures import stack_shape
from gliomask.formats.volumes import volume_format


@dataclass(frozen=True, eq=False)
class ImageHeader:
    """The grid of an image.

    Attributes:
        shape: (I, J, K).
        affine: (4, 4) float64, voxel index to RAS+ millimetres.
        has_world: whether the affine is the file's own, not a guess for pictures.
    """

    shape: tuple[int, int, int]
    affine: Affine
    has_world: bool


def image_header(file: ImageFile) -> ImageHeader:
    """The grid of an image, by its header or headers; of a stack of pictures by its first one.

    Raises:
        FormatError: missing, damaged at its beginning, or of an unknown kind.
    """
    if codec_format := volume_format(file.paths[0]):
        header = codec_format.codec.read_header(file.paths[0])
        return ImageHeader(header.shape, header.affine, has_world=True)
    if is_series(file.paths):
        grid = series_grid(file.paths, file.channel)
        return ImageHeader(grid.shape, grid.affine, has_world=True)
    if is_matlab(file.paths[0]):
        return ImageHeader(slice_shape(file.paths[0]), PICTURE_AFFINE, has_world=False)
    return ImageHeader(stack_shape(file.paths), PICTURE_AFFINE, has_world=False)
