"""Interface to SimpleITK, which is only loaded here, on first use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from gliomask.core.extras import load_extra
from gliomask.core.volume import Affine, FloatArray
from gliomask.jobs.control import Control


def load_toolkit() -> Any:
    """The module ``SimpleITK``; it takes most of a second to load.

    Raises:
        PackageError: it is not installed.
    """
    return load_extra("SimpleITK")


@contextmanager
def stopping(toolkit: Any, process: Any, control: Control) -> Iterator[None]:
    """Ends a filter or a registration between two of its iterations once a stop is requested.

    Raises:
        StoppedError: a stop was requested.
    """
    stop = getattr(process, "StopRegistration", process.Abort)

    def look() -> None:
        if control.stop_requested():
            stop()

    process.AddCommand(toolkit.sitkIterationEvent, look)
    try:
        yield
    except RuntimeError:  # the toolkit's only error for an abort
        control.check()
        raise
    finally:
        process.RemoveAllCommands()
    control.check()


def to_toolkit(toolkit: Any, image: FloatArray, affine: Affine) -> Any:
    """An image (I, J, K) as SimpleITK's, float32, in RAS+ millimetres.

    SimpleITK means LPS by the same numbers, but it does not use the anatomy: as long as all
    images and transforms are given in RAS, all it finds is in RAS.
    """
    # The last axis runs fastest there in memory order and is called the first.
    converted = toolkit.GetImageFromArray(np.ascontiguousarray(image.T, np.float32))
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    converted.SetSpacing(spacing.tolist())
    converted.SetOrigin(affine[:3, 3].tolist())
    converted.SetDirection((affine[:3, :3] / spacing).ravel().tolist())
    return converted
