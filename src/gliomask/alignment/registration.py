"""Rigid registration of two series by mutual information.

Series of one study share the scanner's coordinates, so the search starts from the positions in
their headers and finds the movement of the patient in between. Six parameters (three angles about
the middle of the fixed image, three shifts), Mattes' mutual information (IEEE TMI 22:120, 2003),
because contrasts differ, and a regular-step gradient descent on a coarse, then a finer grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gliomask.alignment.toolkit import load_toolkit, stopping, to_toolkit
from gliomask.core.volume import Affine, FloatArray
from gliomask.errors import InputError
from gliomask.jobs.control import SILENT, Control

MOST_DEGREES = 30.0
"""A larger turn between series of one study is not believed."""
MOST_MM = 50.0
"""Nor is a larger shift of the middle of the head."""
_LEAST_GAIN = 0.03
"""Of the mutual information, as a share of it: a smaller one is no reason to interpolate. Pairs of
co-registered series of BraTS gain up to 2 %, by shifts of less than a millimetre."""
_GRID_MM = 2.0
"""Both images are averaged to voxels of about this size first."""
_LEVELS = ((2, 2.0, 0.25), (1, 0.0, 0.1))
"""(shrink factor, smoothing in mm, share of voxels sampled) of the coarse and the fine level."""
_BINS = 32
_STEPS = 100
_SEED = 20_240_229
_CLIP = (0.1, 99.9)
"""Percentiles: a few bright vessels must not squeeze the tissue into a few bins."""


class ImplausibleError(InputError):
    """Implausible result of a registration within one study."""


@dataclass(frozen=True, eq=False)
class Registration:
    """Result of a registration.

    Attributes:
        transform: (4, 4), RAS+ mm of the moving series' header to RAS+ mm of the fixed one:
            ``transform @ moving_affine`` is the affine that the moving series should have had.
            The identity if nothing better was found.
        degrees: of the turn.
        mm: displacement of the middle of the fixed image.
        before, after: mutual information in nats, at the positions in the headers and as they were
            found to.
    """

    transform: Affine
    degrees: float
    mm: float
    before: float
    after: float


def register_rigid(
    moving: FloatArray,
    moving_affine: Affine,
    fixed: FloatArray,
    fixed_affine: Affine,
    control: Control = SILENT,
) -> Registration:
    """Finds the rotation and shift that bring a series onto another one of the same head.

    The same images give the same result to the last bit, whatever the number of cores: the
    samples are drawn with a fixed seed and summed by one thread.

    Args:
        moving: (I, J, K) float32, not constant.
        moving_affine: (4, 4) voxel index to RAS+ mm.
        fixed: (I', J', K') float32, not constant.
        fixed_affine: (4, 4).
        control: a stop ends the search between two iterations.

    Returns:
        the registration; the identity if mutual information does not rise by 3 %.

    Raises:
        ImplausibleError: more than 30 degrees or 50 mm; or the images don't overlap.
    """
    toolkit = load_toolkit()
    pair = tuple(
        _working_copy(toolkit, image, affine)
        for image, affine in ((fixed, fixed_affine), (moving, moving_affine))
    )
    middle = fixed_affine @ [*((n - 1) / 2 for n in fixed.shape), 1]
    start = toolkit.Euler3DTransform()
    start.SetCenter(middle[:3].tolist())
    try:
        rotation = toolkit.Euler3DTransform(start)
        before = _information(toolkit, pair, start)
        search = _search(toolkit, rotation)
        with stopping(toolkit, search, control):
            search.Execute(*pair)
        after = _information(toolkit, pair, rotation)
    except RuntimeError as problem:  # the toolkit's only error if nothing overlaps
        reason = str(problem).strip().splitlines()[-1]
        raise ImplausibleError(f"no registration: {reason}") from None
    matrix = _inverse(_matrix(rotation))  # the toolkit's leads from fixed to moving
    degrees, mm = _turn(matrix), float(np.linalg.norm((matrix @ middle - middle)[:3]))
    if after < before * (1 + _LEAST_GAIN):
        return Registration(np.eye(4), 0.0, 0.0, before, before)
    if degrees > MOST_DEGREES or mm > MOST_MM:
        what = f"the registration rotates by {degrees:.1f} degrees and a translation of {mm:.1f} mm"
        limits = f"allowed {MOST_DEGREES:g} degrees and {MOST_MM:g} mm"
        raise ImplausibleError(f"{what}, {limits}")
    return Registration(matrix, degrees, mm, before, after)


def _working_copy(toolkit: Any, image: FloatArray, affine: Affine) -> Any:
    """The image on voxels of about ``_GRID_MM`` (thicker slices stay), its range cut."""
    low, high = np.percentile(image, _CLIP)
    whole = to_toolkit(toolkit, np.clip(image, low, high), affine)
    factors = [max(1, round(_GRID_MM / mm)) for mm in whole.GetSpacing()]
    return toolkit.BinShrink(whole, factors) if max(factors) > 1 else whole


def _method(toolkit: Any) -> Any:
    method = toolkit.ImageRegistrationMethod()
    method.SetNumberOfThreads(1)
    method.SetNumberOfWorkUnits(1)
    method.SetMetricAsMattesMutualInformation(_BINS)
    method.MetricUseFixedImageGradientFilterOff()  # gradients at the samples alone are quicker
    method.MetricUseMovingImageGradientFilterOff()
    method.SetInterpolator(toolkit.sitkLinear)
    return method


def _search(toolkit: Any, transform: Any) -> Any:
    """The search that will change ``transform``."""
    method = _method(toolkit)
    method.SetMetricSamplingStrategy(method.RANDOM)
    factors, smoothing, shares = zip(*_LEVELS, strict=True)
    method.SetMetricSamplingPercentagePerLevel(shares, _SEED)
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=2.0,
        minStep=0.005,
        numberOfIterations=_STEPS,
        relaxationFactor=0.6,
        gradientMagnitudeTolerance=1e-6,
    )
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel(factors)
    method.SetSmoothingSigmasPerLevel(smoothing)
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    method.SetInitialTransform(transform, inPlace=True)
    return method


def _information(toolkit: Any, pair: tuple[Any, ...], transform: Any) -> float:
    """Mutual information in nats over all voxels of the working grid."""
    method = _method(toolkit)
    method.SetInitialTransform(transform)
    return -float(method.MetricEvaluate(*pair))


def _matrix(transform: Any) -> Affine:
    """(4, 4) of a rigid transform about a centre."""
    matrix = np.eye(4)
    matrix[:3, :3] = np.reshape(transform.GetMatrix(), (3, 3))
    centre = np.array(transform.GetCenter())
    matrix[:3, 3] = centre + transform.GetTranslation() - matrix[:3, :3] @ centre
    return matrix


def _inverse(matrix: Affine) -> Affine:
    return np.asarray(np.linalg.inv(matrix), np.float64)


def _turn(matrix: Affine) -> float:
    """The angle of a rotation in degrees."""
    cosine = (np.trace(matrix[:3, :3]) - 1) / 2
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
