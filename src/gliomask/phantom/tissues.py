"""Tissues of the phantom, and their signal parameters.

The numbers of CSF, GM, WM and fat are those that BrainWeb used at 1.5 T (Kwan, Evans and Pike
1999); muscle is close to them, marrow and vessels are guesses. Those of tumours are within the
ranges that relaxometry reports, and such that oedema and solid tumour are bright in FLAIR: a T1
above about 1500 ms would let the inversion null them like fluid.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from gliomask.core.volume import FloatArray


class Tissue(IntEnum):
    """Index of a tissue in every array of fractions (T, ...). Bone and air give no signal."""

    CSF = 0
    GM = 1
    WM = 2
    FAT = 3
    MUSCLE = 4
    MARROW = 5
    VESSEL = 6
    OEDEMA = 7
    TUMOUR = 8
    FLUID = 9
    RIM = 10


_TABLE = np.array(
    [
        # T1 ms, T2 ms, density, T1 at 3 T over T1 at 1.5 T, grain
        (2569, 329, 1.00, 1.15, 0.02),  # CSF
        (833, 83, 0.86, 1.35, 0.03),  # GM
        (500, 70, 0.77, 1.5, 0.03),  # WM
        (350, 70, 1.00, 1.1, 0.12),  # FAT
        (900, 47, 0.80, 1.4, 0.12),  # MUSCLE
        (450, 60, 0.40, 1.2, 0.30),  # MARROW
        (1100, 60, 0.55, 1.4, 0.20),  # VESSEL: veins, dura, mucosa
        (1000, 155, 0.86, 1.3, 0.06),  # OEDEMA: oedematous or infiltrated white matter
        (1150, 165, 0.90, 1.3, 0.09),  # TUMOUR: solid, not enhancing
        (2000, 270, 0.98, 1.1, 0.08),  # FLUID: cyst or necrosis
        (1050, 120, 0.86, 1.3, 0.12),  # RIM: solid, takes up contrast medium
    ],
    np.float32,
)

RELAXATION: FloatArray = _TABLE[:, :3]
"""(T, 3): T1 in ms, T2 in ms, proton density relative to water, at 1.5 T."""
HIGH_FIELD: FloatArray = _TABLE[:, 3]
"""(T,): T1 at 3 T over T1 at 1.5 T."""
GRAIN: FloatArray = _TABLE[:, 4]
"""(T,): how much the signal varies within each tissue, as a share of it."""
