"""Images in memory, from Python: arrays with an affine, and images of nibabel."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np

from gliomask.core.case import Case, ImageFile
from gliomask.core.geometry import orientation
from gliomask.core.identity import safe_name
from gliomask.core.volume import SEQUENCES, Affine, FloatArray
from gliomask.datasets.folders import stem
from gliomask.errors import CaseError, InputError, nearest
from gliomask.formats.images import Image
from gliomask.studies.loose_files import of_volumes

if TYPE_CHECKING:
    from typing_extensions import TypeIs

Array = np.ndarray[Any, np.dtype[Any]]
Loaded = tuple[Array, Affine] | nib.filebasedimages.FileBasedImage
"""An image in memory: (array (I, J, K), affine (4, 4) voxel to RAS+ mm), or nibabel's."""
Files = str | Path | Mapping[str, str | Path]
"""A path of one examination, or sequence name -> path."""
Images = Files | Loaded | Mapping[str, Loaded]


def by_sequence(images: Images, sequence: str | None) -> Files | Mapping[str, Loaded]:
    """Convert a single image to a mapping with its sequence; anything else is unchanged.

    Args:
        images: the argument of ``predict``.
        sequence: of a single image, if its name does not contain it.

    Raises:
        InputError: the images have their sequences already.
        CaseError: the sequence is not stated.
    """
    if sequence is not None:
        if isinstance(images, Mapping):
            raise InputError("the images have their sequences already", field="sequence")
        return {sequence: images}  # type: ignore[return-value]
    if isinstance(images, str | Path | Mapping):
        return images
    return {_sequence_in_name(images): images}


def _sequence_in_name(image: Loaded) -> str:
    """The sequence in the name of the file that an image was read from.

    Raises:
        CaseError: there is no such file, or its name does not contain the sequence.
    """
    hint = 'state it: predict(image, sequence="flair")'
    name = None if isinstance(image, tuple) else getattr(image, "get_filename", lambda: None)()
    if name is None:
        raise CaseError("the sequence of the image is unknown", hint=hint)
    path = Path(name)
    try:
        (named,) = of_volumes([(stem(path.name), path)], path.parent)
    except CaseError as problem:
        raise CaseError(problem.what, path=path, hint=hint) from None
    return next(iter(named.images))


def in_files(images: Files | Mapping[str, Loaded]) -> TypeIs[Files]:
    """Return True if the images are in files."""
    if not isinstance(images, Mapping):
        return True
    return all(isinstance(image, str | Path) for image in images.values())


def case_of(images: Mapping[str, Loaded], case: str) -> Case:
    """A case of images in memory, by the names of their sequences.

    Raises:
        InputError: an unknown sequence, or a name with other characters than a file name may have.
    """
    if case != (safe := safe_name(case)):
        what = "the name of the case can't be that of its files"
        allowed = "letters, digits, dots, dashes and underscores"
        hint = f'state another: predict(images, case="{safe}")'
        raise InputError(what, field="case", found=case, allowed=allowed, hint=hint)
    for name in images:
        _check_name(name)
    return Case(case, case, {n: ImageFile((Path(n),)) for n in SEQUENCES if n in images})


def _check_name(name: str) -> None:
    if name not in SEQUENCES:
        hint = nearest(name, SEQUENCES)
        allowed = ", ".join(SEQUENCES)
        raise InputError(
            "unknown sequence", field="sequence", found=name, allowed=allowed, hint=hint
        )


def image_of(name: str, image: Loaded) -> Image:
    """Check an image like one from a file.

    Raises:
        InputError: no image.
        CaseError: no volume of finite numbers that differ, or no affine.
    """
    array, affine = _parts(name, image)
    if array.ndim != 3:
        raise CaseError(f"{name}: not a volume", field="shape", found=array.shape, allowed="3-D")
    if array.dtype.kind not in "biuf":
        allowed = "a real type"
        raise CaseError(f"{name}: not numbers", field="dtype", found=array.dtype, allowed=allowed)
    _check_affine(name, affine)
    with np.errstate(over="ignore"):  # values outside single precision are refused below
        values: FloatArray = np.ascontiguousarray(array, np.float32)
    if not np.isfinite(values).all():
        raise CaseError(f"{name}: contains NaN or infinity")
    if values.size == 0 or values.min() == values.max():
        raise CaseError(f"{name} is constant")
    return Image(values, affine, has_world=True)


def _check_affine(name: str, affine: Affine) -> None:
    actual: object = affine.shape
    if affine.shape == (4, 4):
        try:
            orientation(affine)
            return
        except (ValueError, np.linalg.LinAlgError):
            actual = affine[:3].tolist()
    allowed = "(4, 4), finite and not singular"
    raise CaseError(f"{name}: not an affine", field="affine", found=actual, allowed=allowed)


def _parts(name: str, image: Loaded) -> tuple[Array, Affine]:
    if isinstance(image, tuple) and len(image) == 2:
        array, affine = image
        return np.asarray(array), np.asarray(affine, np.float64)
    if not isinstance(image, nib.spatialimages.SpatialImage):
        allowed = "(array, affine) or an image of nibabel; or only paths"
        kind = type(image).__name__
        raise InputError("not an image in memory", field=name, found=kind, allowed=allowed)
    if image.affine is None:
        raise CaseError(f"{name}: the image has no affine")
    return np.asanyarray(image.dataobj), np.asarray(image.affine, np.float64)
