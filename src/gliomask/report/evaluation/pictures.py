"""Representative slices of a case, encoded compactly, for pages with a hundred patients.

A slice is four pictures: the image in grey, the two masks as white on nothing, and where they
differ in colour. The page lays them over one another and so gets its six panels, see
``report.panels`` for what they show.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
from PIL import Image

from gliomask.report import slices
from gliomask.report.colours import AGREEMENT
from gliomask.report.panels import SliceView

_SIDE = 256
"""Longest side of an encoded slice in pixels."""
_QUALITY = 85
"""Of the JPEG in grey; masks are exact."""
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class SlicePicture:
    """One slice of an evaluated case, ready for a page.

    Attributes:
        role: why it is shown: ``worst``, ``median``, ``best``, or ``middle`` where nothing is.
        number: of the slice counted from the feet, from 1.
        region: region of the masks.
        dice: of the slice; None where both masks are empty.
        ratio: width over height as it is to be shown.
        has_world: whether the patient's sides are known.
        image: data URI of the grey image; None where only masks are known.
        reference, predicted, difference: data URIs of the masks on nothing.
    """

    role: str
    number: int
    region: str
    dice: float | None
    ratio: float
    has_world: bool
    image: str | None
    reference: str
    predicted: str
    difference: str


def informative_slices(reference: Mask, predicted: Mask) -> Mapping[str, int]:
    """The most informative slices of a case: role -> index.

    They are the worst, the median and the best by Dice of all slices in which either mask holds
    something; of equally bad ones the largest, for a missed end slice of three pixels says
    less than an overlooked half of a tumour. One or two such slices have fewer roles.

    Args:
        reference: (S, H, W) bool.
        predicted: the same.

    Returns:
        at least one role; ``middle`` where both masks are empty.
    """
    drawn, predicted_sizes = (mask.sum(axis=(1, 2)) for mask in (reference, predicted))
    size = drawn + predicted_sizes
    slices = np.flatnonzero(size)
    if not slices.size:
        return MappingProxyType({"middle": len(reference) // 2})
    dice = 2 * (reference & predicted)[slices].sum(axis=(1, 2)) / size[slices]
    ranked = slices[np.lexsort((-size[slices], dice))].tolist()
    roles = {ranked[len(ranked) // 2]: "median", ranked[-1]: "best", ranked[0]: "worst"}
    if len(ranked) == 1:
        roles = {ranked[0]: "best"}
    named = {role: index for index, role in roles.items()}
    return MappingProxyType({r: named[r] for r in ("worst", "median", "best") if r in named})


def encode_slice(view: SliceView, role: str) -> SlicePicture:
    """Encodes one evaluated slice; ``view.image`` of shape (0, 0) is one that is not known."""
    reference, predicted = view.reference, view.predicted
    kinds = (reference & predicted, predicted & ~reference, reference & ~predicted)
    known = bool(view.image.size)
    return SlicePicture(
        role=role,
        number=view.number,
        region=view.region,
        dice=view.slice_dice,
        ratio=1 / slices.proportion(reference, view.pixel_mm),
        has_world=view.has_world,
        image=_grey(view.image) if known else None,
        reference=_layers((reference,), ("#FFFFFF",)),
        predicted=_layers((predicted,), ("#FFFFFF",)),
        difference=_layers(kinds, AGREEMENT),
    )


def decode_slice(
    picture: SlicePicture, case: str, case_dice: float | None, *, synthetic: bool
) -> SliceView:
    """The slice again, as far as it was kept: masks exactly, the image as a JPEG keeps it.

    Args:
        picture: with an image.
        case: its id.
        case_dice: of the whole case.
        synthetic: whether it is of a phantom.
    """
    reference, predicted = (
        np.asarray(_decoded(uri).convert("RGBA"))[..., 3] > 0
        for uri in (picture.reference, picture.predicted)
    )
    height, width = reference.shape
    return SliceView(
        image=np.asarray(_decoded(picture.image or ""), np.float32),
        reference=reference,
        predicted=predicted,
        pixel_mm=(width / (height * picture.ratio), 1.0),
        has_world=picture.has_world,
        case=case,
        number=picture.number,
        region=picture.region,
        slice_dice=picture.dice,
        case_dice=case_dice,
        synthetic=synthetic,
    )


def _decoded(uri: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))


def _grey(image: npt.NDArray[np.floating]) -> str:
    low, high = slices.window(image)
    scaled = np.clip((image.astype(np.float32) - low) / (high - low), 0, 1)
    picture = _fitted(Image.fromarray((255 * scaled).astype(np.uint8)), Image.Resampling.BOX)
    return _uri(picture, "jpeg", quality=_QUALITY, optimize=True)


def _layers(masks: tuple[Mask, ...], colours: tuple[str, ...]) -> str:
    """Masks that don't overlap, in a palette whose first colour is nothing."""
    numbers = np.zeros(masks[0].shape, np.uint8)
    for number, mask in enumerate(masks, start=1):
        numbers[mask] = number
    picture = Image.fromarray(numbers).convert("P")
    rgb = [int(colour[k : k + 2], 16) for colour in colours for k in (1, 3, 5)]
    picture.putpalette([0, 0, 0, *rgb])
    return _uri(_fitted(picture, Image.Resampling.NEAREST), "png", transparency=0, optimize=True)


def _fitted(picture: Image.Image, method: Image.Resampling) -> Image.Image:
    longest = max(picture.size)
    if longest <= _SIDE:
        return picture
    width, height = (max(1, round(side * _SIDE / longest)) for side in picture.size)
    return picture.resize((width, height), method)


def _uri(picture: Image.Image, kind: str, **how: object) -> str:
    out = io.BytesIO()
    picture.save(out, kind, **how)
    return f"data:image/{kind};base64,{base64.b64encode(out.getvalue()).decode()}"
