"""Uncertainty of a volume by split conformal prediction.

Each case gets a *spread* in voxels: how far the volumes of the network's other maps (six sides,
mirrored slices) lie from the plain one, plus the voxels that the calibrated probabilities leave in
doubt. It ranks cases by uncertainty but is not calibrated, because the maps share their errors.

Therefore the error of the volume is measured on the validation patients in units of the spread, and
the interval of a new case has the width that covers nine in ten of them. For patients that are
exchangeable with the validation patients, such an interval contains the true volume with at least
this probability, for any network and spread (Papadopoulos et al. 2002, normalised scores; Lei et
al., JASA 2018). The probability is over patients: it may be lower for a group of patients, and is
not valid for other scanners or diseases. Cases with empty masks are excluded from calibration and
get no interval, which preserves the coverage for the others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from gliomask.core.prediction import LEVEL, VolumeInterval
from gliomask.core.volume import FloatArray
from gliomask.nets.measures import VolumeFit
from gliomask.statistics.logit_counts import LogitCounts, bin_centres

DOUBTFUL: Final = 0.05
"""Voxels below this probability are not in doubt: millions of them would add up to a tumour."""


def doubt(probabilities: FloatArray) -> float:
    """Voxels in doubt: the sum of p (1 - p) where p is at least ``DOUBTFUL``.

    It is the variance of the volume if the voxels' mistakes were independent, and as a number of
    voxels a measure of how broad the rim is.

    Args:
        probabilities: any shape, calibrated, of one region.
    """
    doubtful = probabilities[probabilities >= DOUBTFUL].astype(np.float64)
    return float(doubtful @ (1.0 - doubtful))


def doubt_of_counts(counts: LogitCounts, temperature: float) -> float:
    """Voxels in doubt, from the voxels of a case by their logit, before the temperature."""
    number = np.asarray(counts.positive) + np.asarray(counts.negative)
    chance = 1.0 / (1.0 + np.exp(-bin_centres() / temperature))
    doubtful = chance >= DOUBTFUL
    return float(number[doubtful] @ (chance[doubtful] * (1.0 - chance[doubtful])))


def spread(plain: int, others: npt.NDArray[np.integer], doubtful: float) -> float:
    """The spread of one region's volume in voxels, at least 1.

    Args:
        plain: voxels of the mask.
        others: (M,) voxels of the masks of the other maps; M may be 0.
        doubtful: voxels in doubt.
    """
    away = others.astype(np.float64) - plain
    root = math.sqrt(float(np.mean(away**2))) if away.size else 0.0
    return max(1.0, root + doubtful)


def fit_volumes(
    predicted: Sequence[float], true: Sequence[float], spreads: Sequence[float]
) -> VolumeFit | None:
    """Factor of the spread for intervals that contain the true volume of nine in ten patients.

    It is the ceil(0.9 (n + 1))-th smallest of the scores |true - predicted| / spread of n
    patients. Patients with empty masks are left out. None if fewer than nine are left:
    then no number would do.

    Args:
        predicted, true, spreads: of each patient, voxels.
    """
    scores = sorted(
        abs(truth - volume) / wide
        for volume, truth, wide in zip(predicted, true, spreads, strict=True)
        if volume > 0
    )
    rank = math.ceil(LEVEL * (len(scores) + 1))
    if rank > len(scores):
        return None
    return VolumeFit(level=LEVEL, stretch=scores[rank - 1], patients=len(scores))


def interval(
    plain: int,
    wide: float,
    fit: VolumeFit | None,
    others: Sequence[VolumeFit] = (),
    voxel_ml: float | None = None,
) -> VolumeInterval | None:
    """Interval for the true number of voxels of a region.

    Args:
        plain: voxels of the mask; None comes of none.
        wide: the spread.
        fit: measured on images like this one. Without it the interval reaches as far as the widest
            of the others would, or one spread, and promises no coverage.
        others: measured on other kinds of images.
        voxel_ml: millilitres of a voxel; None where they are not known.
    """
    if plain == 0:
        return None
    stretch = (
        fit.stretch if fit else max((fit_of_other.stretch for fit_of_other in others), default=1.0)
    )
    reach = stretch * wide
    level, patients = (None, 0) if fit is None else (fit.level, fit.patients)
    low, high = max(0.0, plain - reach), plain + reach
    ml = None if voxel_ml is None else (low * voxel_ml, high * voxel_ml)
    return VolumeInterval((low, high), ml, level, patients, calibrated=level is not None)
