"""Measurements of a mask by region and lesion, serialisable as JSON."""

from __future__ import annotations

from dataclasses import dataclass

from gliomask.core.labels import LabelArray
from gliomask.core.regions import region_masks
from gliomask.core.volume import Affine
from gliomask.lesions.diameters import Diameters, Segment, measure_diameters
from gliomask.lesions.error import (
    Measured,
    MeasuredDiameters,
    mask_volume,
    measured_diameters,
    total,
)
from gliomask.lesions.lesions import Lesion, Lesions, Mask, Point, find_lesions

SMALLEST_MM = 10.0
"""Both diameters of a lesion that RANO (2010) calls measurable reach this ..."""
THICK_MM = 5.0
"""... or twice the distance between slices, where that is more than this ..."""
SMALLEST_SLICES = 2
"""... and it is visible in as many slices."""
MOST_LESIONS = 5
"""The sum of products is taken over as many measurable lesions, those with the largest products."""
_ROUNDING = 1e-6


@dataclass(frozen=True)
class LesionReport:
    """One lesion of one region; ``dataclasses.asdict`` of it is JSON.

    Attributes:
        region: region of which it is a component.
        number: within the region, 1 is the largest.
        voxels: number of voxels.
        volume_ml: with its error.
        centroid_mm: RAS+ mm.
        extent_mm: of its box along the voxel axes i, j, k.
        touches_border: True if it may extend beyond the volume.
        diameters: both and their product, with their errors.
        axis: the voxel axis through the slices, 0 to 2.
        slice_index: of the slice that the diameters are drawn in, from 0 along ``axis``.
        slices: number of slices with any of it.
        long, short: end points of the diameters, for drawing.
        measurable: by RANO's size alone: both diameters at least 10 mm (twice the distance between
            slices where that is over 5 mm), in at least two slices.
        why_not: reason; empty for a measurable one.
    """

    region: str
    number: int
    voxels: int
    volume_ml: Measured
    centroid_mm: Point
    extent_mm: Point
    touches_border: bool
    diameters: MeasuredDiameters
    axis: int
    slice_index: int
    slices: int
    long: Segment
    short: Segment
    measurable: bool
    why_not: str


@dataclass(frozen=True)
class RegionReport:
    """One region of a mask.

    Attributes:
        region: its name.
        voxels: all of it, tiny components included.
        volume_ml: likewise.
        lesions: the largest first; tiny components are not among them.
        tiny: number of components of up to ``tiny_limit_ml``.
        tiny_volume_ml: of these together.
        tiny_limit_ml: the limit.
        sum_of_products_mm2: over the measurable lesions, the five with the largest products.
    """

    region: str
    voxels: int
    volume_ml: Measured
    lesions: tuple[LesionReport, ...]
    tiny: int
    tiny_volume_ml: float
    tiny_limit_ml: float
    sum_of_products_mm2: Measured


def describe_lesions(
    mask: LabelArray, affine: Affine, regions: tuple[str, ...]
) -> tuple[LesionReport, ...]:
    """The lesions of each region, in the order of the regions and then of size.

    Args:
        mask: (I, J, K) uint8 with the numbers of ``core.labels``, as in a ``Prediction``.
        affine: (4, 4), voxel index to RAS+ mm; not a guess (``has_world``).
        regions: in the mask.

    Raises:
        ValueError: the affine is singular or not finite.
        KeyError: no such region.
    """
    reports = (describe_region(mask, affine, region) for region in regions)
    return tuple(lesion for report in reports for lesion in report.lesions)


def describe_region(mask: LabelArray, affine: Affine, region: str) -> RegionReport:
    """One region with its lesions; arguments and errors as of ``describe_lesions``."""
    (drawn,) = region_masks(mask, (region,))
    return describe_labelled(drawn, find_lesions(drawn, affine), affine, region)


def describe_labelled(drawn: Mask, labelled: Lesions, affine: Affine, region: str) -> RegionReport:
    """Report of a region (I, J, K) whose lesions have been found."""
    lesions = tuple(_describe(labelled, lesion, affine, region) for lesion in labelled.found)
    products = [item.diameters.product for item in lesions if item.measurable]
    largest = sorted(products, key=lambda product: -product.value)[:MOST_LESIONS]
    return RegionReport(
        region=region,
        voxels=sum(lesion.voxels for lesion in (*labelled.found, *labelled.tiny)),
        volume_ml=mask_volume(drawn, affine),
        lesions=lesions,
        tiny=len(labelled.tiny),
        tiny_volume_ml=float(sum(lesion.volume_ml for lesion in labelled.tiny)),
        tiny_limit_ml=labelled.tiny_ml,
        sum_of_products_mm2=total(largest),
    )


def why_not_measurable(diameters: Diameters) -> str:
    """Reason why a lesion is not measurable by RANO; empty if it is."""
    thick = diameters.slice_mm > THICK_MM * (1 + _ROUNDING)
    smallest = max(SMALLEST_MM, 2 * diameters.slice_mm) if thick else SMALLEST_MM
    if diameters.short.length_mm < smallest * (1 - _ROUNDING):
        return f"a diameter is below {smallest:g} mm"
    if diameters.slices < SMALLEST_SLICES:
        return f"visible in fewer than {SMALLEST_SLICES} slices"
    return ""


def _describe(labelled: Lesions, lesion: Lesion, affine: Affine, region: str) -> LesionReport:
    crop = lesion.crop(labelled.labels)
    i, j, k = (start for start, _ in lesion.box)
    diameters = measure_diameters(crop, affine, (i, j, k))
    if diameters is None:
        raise ValueError("a lesion without voxels")
    why_not = why_not_measurable(diameters)
    return LesionReport(
        region=region,
        number=lesion.number,
        voxels=lesion.voxels,
        volume_ml=mask_volume(crop, affine),
        centroid_mm=lesion.centroid_mm,
        extent_mm=lesion.extent_mm,
        touches_border=lesion.touches_border,
        diameters=measured_diameters(diameters),
        axis=diameters.axis,
        slice_index=diameters.slice_index,
        slices=diameters.slices,
        long=diameters.long,
        short=diameters.short,
        measurable=not why_not,
        why_not=why_not,
    )
