"""Synthetic slices for measurements of training speed."""

from __future__ import annotations

import numpy as np
import torch

from gliomask.learning.catalogue import Catalogue
from gliomask.learning.dataset import KeptSlices
from gliomask.store.manifest import StoredCase

PER_CASE = 20
"""Slices of a case; the LGG set has 36 on average."""


def synthetic_slices(
    count: int, size: int, sequences: tuple[str, ...], device: torch.device
) -> tuple[KeptSlices, Catalogue]:
    """Noisy heads in air with a square of tumour in every third slice, in memory of ``device``."""
    rng = np.random.default_rng(0)
    cases = tuple(_case(f"case{k:03d}", sequences, size) for k in range(-(-count // PER_CASE)))
    tumour = np.arange(count) % 3 == 0
    images = torch.zeros(count, len(sequences), size, size, dtype=torch.float16)
    bits = torch.zeros(count, size, size, dtype=torch.uint8)
    rim, lesion = size // 5, slice(size // 3, size // 2)
    inside = (slice(None), slice(rim, size - rim), slice(rim, size - rim))
    for image, mask, has in zip(images, bits, tumour, strict=True):
        head = rng.normal(0, 1, (len(sequences), size - 2 * rim, size - 2 * rim))
        image[inside] = torch.from_numpy(head.astype(np.float16))
        if has:
            image[:, lesion, lesion] += 2
            mask[lesion, lesion] = 1
    catalogue = Catalogue(
        cases=cases,
        sequences=sequences,
        present=np.ones((len(cases), len(sequences)), bool),
        case=np.arange(count) // PER_CASE,
        slice=np.arange(count) % PER_CASE,
        tumour=tumour,
    )
    return KeptSlices(images.to(device), bits.to(device)), catalogue


def _case(name: str, sequences: tuple[str, ...], size: int) -> StoredCase:
    return StoredCase(
        id=name,
        patient=name,
        site=None,
        source="synthetic",
        sequences=sequences,
        shape=(PER_CASE, size, size),
        grid=(size, size, PER_CASE),
        pixel_mm=(1.0, 1.0),
        slice_mm=1.0,
        has_world=True,
        tumour_px=(1,) * PER_CASE,
        tumour_ml=1.0,
        annotated=(True,) * PER_CASE,
        regions=("whole",),
        licence="CC0-1.0",
        synthetic=True,
        notes=(),
        fingerprint="0" * 64,
    )
