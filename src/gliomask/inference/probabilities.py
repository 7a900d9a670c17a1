"""Logits to probabilities."""

from __future__ import annotations

import numpy as np

from gliomask.core.volume import FloatArray


def mean_probability(logits: FloatArray) -> FloatArray:
    """(N, P, ...) to probabilities (N, ...): the mean over P, of one the probability itself."""
    if logits.shape[1] == 1:
        return _sigmoid(logits[:, 0])
    mean: FloatArray = _sigmoid(logits).mean(axis=1)
    return mean


def tempered(probabilities: FloatArray, temperature: float) -> FloatArray:
    """Probabilities with their logits divided by the temperature (Guo et al., ICML 2017).

    It is done last, on the maps that are shown: so the same mask comes out at the threshold that
    is moved along (``statistics.temperature.adjusted_threshold``), to the voxel.

    Args:
        probabilities: any shape, float32 in [0, 1].
        temperature: positive; 1 gives the probabilities themselves.
    """
    if temperature == 1.0:
        return probabilities
    with np.errstate(divide="ignore"):
        # The difference from 1 is exact where it is small, and log1p takes twice as long as log.
        logits: FloatArray = np.log(probabilities) - np.log(np.float32(1.0) - probabilities)
    return _sigmoid(logits / np.float32(temperature))


def _sigmoid(logits: FloatArray) -> FloatArray:
    half = np.float32(0.5)
    # The hyperbolic tangent does not overflow where the exponential does.
    probabilities: FloatArray = half * logits
    np.tanh(probabilities, out=probabilities)
    probabilities *= half
    probabilities += half
    return probabilities
