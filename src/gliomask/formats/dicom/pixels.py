"""The stored pixels of a file, decoded one frame at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydicom import Dataset
from pydicom.encaps import generate_frames
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.utils import iter_pixels

from gliomask.errors import FormatError
from gliomask.formats.dicom.codestream import check_frame_size
from gliomask.formats.dicom.content import decoding, read_dataset
from gliomask.formats.dicom.pixel_format import PixelFormat, pixel_format

_PREFERRED = ("pydicom", "pyjpegls", "pylibjpeg", "pillow", "gdcm")
"""Decoders, the most careful first."""


def read_pixels(path: Path, numbers: Sequence[int] = (0,)) -> Iterator[npt.NDArray[np.int64]]:
    """Frames of a file, each (rows, columns) int64 as stored: bits beyond BitsStored cut off.

    Args:
        path: of the file.
        numbers: which frames, from 0.

    Raises:
        FormatError: damaged, truncated, too large, not grey, or a compression that can't be
            decoded here; a hint tells what to install.
    """
    dataset = read_dataset(path)
    with decoding(path):
        pixels = pixel_format(dataset, path)
        if "PixelData" not in dataset:
            raise FormatError("no pixels: truncated, or not an image")
        _check_sizes(dataset, pixels)
        plugin = _plugin(pixels) if pixels.syntax.is_compressed else ""
        frames = iter_pixels(
            dataset,
            indices=numbers,
            raw=True,
            decoding_plugin=plugin,
            correct_unused_bits=False,
        )
    for _ in numbers:
        with decoding(path):
            values = _values(next(frames), pixels)
        yield values


def _check_sizes(dataset: Dataset, pixels: PixelFormat) -> None:
    if not pixels.syntax.is_compressed:
        return
    count = 0
    for frame in generate_frames(dataset.PixelData, number_of_frames=pixels.frames):
        check_frame_size(frame, pixels.syntax, pixels.rows, pixels.columns)
        count += 1
    if count < pixels.frames:
        raise FormatError("truncated", field="frames", found=count, allowed=str(pixels.frames))


def _plugin(pixels: PixelFormat) -> str:
    """The preferred decoder of those installed; empty leaves the choice to pydicom."""
    ready = get_decoder(pixels.syntax).available_plugins
    return next((name for name in _PREFERRED if name in ready), "")


def _values(frame: npt.NDArray[np.generic], pixels: PixelFormat) -> npt.NDArray[np.int64]:
    if frame.shape != (pixels.rows, pixels.columns):
        raise FormatError("decoded to another size", field="shape", found=frame.shape)
    values: npt.NDArray[np.int64] = frame.astype(np.int64) & (2**pixels.stored - 1)
    if pixels.signed:
        half = 2 ** (pixels.stored - 1)
        values = (values ^ half) - half
    return values
