"""Patients of a few voxels made by hand, for the tests of the writers."""

from __future__ import annotations

import numpy as np

from gliomask.core.volume import SEQUENCES, Volume
from gliomask.phantom.layout import SyntheticPatient

SHAPE = (4, 5, 6)
AFFINE = np.array([[2.0, 0, 0, -3], [0, 2.0, 0, -7], [0, 0, 5.0, -40], [0, 0, 0, 1]])
FRONT_LEFT_TOP = (0, 4, 5)
"""Axes run to the right, the front and the head, so this corner is at the patient's left."""


def patient(number: int = 1) -> SyntheticPatient:
    """Sequence c holds 100 (c + 1) but for 999 in one corner; slices 2 to 4 hold tumour.

    NECROSIS, OEDEMA and ENHANCING once each in slice 3, one voxel of OEDEMA in 2 and in 4.
    """
    array = np.ones((len(SEQUENCES), *SHAPE), np.float32)
    array *= 100 * np.arange(1, 5, dtype=np.float32)[:, None, None, None]
    array[(slice(None), *FRONT_LEFT_TOP)] = 999
    labels = np.zeros(SHAPE, np.uint8)
    labels[1, 1, 2:5] = 2
    labels[2, 2, 3], labels[2, 3, 3] = 1, 3
    return SyntheticPatient(number, Volume(array, AFFINE, SEQUENCES), labels)
