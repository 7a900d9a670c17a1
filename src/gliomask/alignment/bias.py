"""N4 bias-field correction (Tustison et al., IEEE TMI 29:1310, 2010)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

import numpy as np

from gliomask.alignment.toolkit import load_toolkit, to_toolkit
from gliomask.core.intensity import foreground_level
from gliomask.core.volume import Affine, FloatArray
from gliomask.jobs.control import POLL_S, SILENT, Control

_GRID_MM = 6.0
"""The field is smooth: it is found on voxels of about this size."""
_ITERATIONS = (20, 20, 20)
"""At most, on each level of a grid of control points that doubles from level to level."""


def correct_bias(image: FloatArray, affine: Affine, control: Control = SILENT) -> FloatArray:
    """An image divided by the smooth field that N4 finds in its head.

    The field is found on a shrunk copy, which takes seconds rather than minutes, and applied to
    every voxel of the image: no detail is lost. It is made to have a geometric mean of 1 over
    the head, so the image keeps its range.

    Args:
        image: (I, J, K) float32, not negative, not constant.
        affine: (4, 4), voxel index to RAS+ mm.
        control: a stop does not wait for its end.

    Returns:
        (I, J, K) float32; 0 stays 0.

    Raises:
        ValueError: negative intensities, which no field can have multiplied.
    """
    if image.min() < 0:
        raise ValueError("negative intensities: N4 needs an image that is not normalised yet")
    toolkit = load_toolkit()
    head = (image > foreground_level(image)) & (image > 0)
    whole = to_toolkit(toolkit, image, affine)
    mask = to_toolkit(toolkit, head.astype(np.float32), affine)
    factors = [max(1, round(_GRID_MM / mm)) for mm in whole.GetSpacing()]
    corrector = toolkit.N4BiasFieldCorrectionImageFilter()
    corrector.SetNumberOfThreads(1)  # sums in one order: the same result on every machine
    corrector.SetMaximumNumberOfIterations(_ITERATIONS)
    shrunk = toolkit.Shrink(whole, factors)
    within = toolkit.Cast(toolkit.Shrink(mask, factors), toolkit.sitkUInt8)
    _run(lambda: corrector.Execute(shrunk, within), control)
    field = toolkit.GetArrayFromImage(corrector.GetLogBiasFieldAsImage(whole)).T
    corrected: FloatArray = image * np.exp(field[head].mean() - field)
    return corrected


def _run(work: Callable[[], object], control: Control) -> None:
    """Run N4, which can't be aborted, in a thread; after a stop it continues on copies, and ends
    within a second or two."""
    pool = ThreadPoolExecutor(1)
    try:
        running = pool.submit(work)
        while wait([running], POLL_S).not_done:
            control.check()
        running.result()
    finally:
        pool.shutdown(wait=False)
