"""The stored pixels of files, decoded one frame at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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
from gliomask.formats.dicom.guarded import GuardedDecoder
from gliomask.formats.dicom.pixel_format import PixelFormat, complete, pixel_format

Stored = npt.NDArray[np.int64] | npt.NDArray[np.float64]
"""(rows, columns), as stored: bits beyond BitsStored cut off, the sign extended, and turned over
where large values are dark. Real numbers where the file has these."""

_GUARDED = "gdcm"
_ASK = "export the series again from the archive or scanner"
_PREFERRED = ("pydicom", "pyjpegls", "pylibjpeg", "pillow", _GUARDED)
"""Decoders, the most careful first."""


def read_pixels(path: Path, numbers: Sequence[int] = (0,)) -> Iterator[Stored]:
    """Frames of one file, see ``read_frames``."""
    return read_frames([(path, numbers)])


def read_frames(frames: Iterable[tuple[Path, Sequence[int]]]) -> Iterator[Stored]:
    """Frames of files, in the requested order.

    Args:
        frames: files, each with the numbers of its frames, from 0.

    Raises:
        FormatError: damaged, truncated, too large, not grey, or a compression that can't be
            decoded here; a hint says what to install.
        MachineError: the disk failed.
    """
    with GuardedDecoder() as guarded:
        for path, numbers in frames:
            dataset, pixels = _checked(path)
            plugin = _plugin(pixels)
            if plugin == _GUARDED:
                yield from guarded.decode(path, numbers, (pixels.rows, pixels.columns))
            else:
                yield from _decoded(dataset, pixels, numbers, path, plugin)


def read_unguarded(path: Path, numbers: Sequence[int]) -> Iterator[Stored]:
    """Read pixels as ``read_pixels``, with any decoder, in this process: for the guard's child."""
    dataset, pixels = _checked(path)
    return _decoded(dataset, pixels, numbers, path, _plugin(pixels))


def _checked(path: Path) -> tuple[Dataset, PixelFormat]:
    """The data set and the format of a file whose sizes are plausible."""
    dataset = read_dataset(path)
    with decoding(path):
        pixels = pixel_format(dataset, path)
        if "PixelData" not in dataset and not _is_real(dataset):
            raise FormatError("no pixels: truncated, or not an image")
        complete(dataset, pixels)
        if pixels.syntax.is_compressed:
            _check_sizes(dataset, pixels)
    return dataset, pixels


def _check_sizes(dataset: Dataset, pixels: PixelFormat) -> None:
    count = 0
    for frame in generate_frames(dataset.PixelData, number_of_frames=pixels.frames):
        check_frame_size(frame, pixels.syntax, pixels.rows, pixels.columns)
        count += 1
    if count < pixels.frames:
        raise FormatError("truncated", field="frames", found=count, allowed=str(pixels.frames))


def _plugin(pixels: PixelFormat) -> str:
    """The preferred decoder of those installed; empty for pixels that aren't compressed."""
    if not pixels.syntax.is_compressed:
        return ""
    ready = get_decoder(pixels.syntax).available_plugins
    return next((name for name in _PREFERRED if name in ready), "")


def _decoded(
    dataset: Dataset, pixels: PixelFormat, numbers: Sequence[int], path: Path, plugin: str
) -> Iterator[Stored]:
    if _is_real(dataset):
        yield from _real(dataset, pixels, numbers, path)
        return
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


def _values(frame: npt.NDArray[np.generic], pixels: PixelFormat) -> Stored:
    if frame.shape != (pixels.rows, pixels.columns):
        raise FormatError("decoded to another size", field="shape", found=frame.shape)
    whole = frame.astype(np.int64) & (2**pixels.allocated - 1)
    if pixels.doubt and (whole >> pixels.sure).any():
        what = f"ambiguous pixel values: they use more than {pixels.sure} bits"
        raise FormatError(
            what, field=pixels.doubt, found="missing, or inconsistent with BitsStored", hint=_ASK
        )
    values: npt.NDArray[np.int64] = whole & (2**pixels.stored - 1)
    if pixels.inverted:
        values ^= 2**pixels.stored - 1
    if pixels.signed:
        half = 2 ** (pixels.stored - 1)
        values = (values ^ half) - half
    return values


def _is_real(dataset: Dataset) -> bool:
    return "FloatPixelData" in dataset and "PixelData" not in dataset


def _real(
    dataset: Dataset, pixels: PixelFormat, numbers: Sequence[int], path: Path
) -> Iterator[Stored]:
    """Frames of FloatPixelData, which has 32 bits and is never compressed."""
    content, order = dataset.FloatPixelData, "<" if pixels.syntax.is_little_endian else ">"
    if pixels.allocated != 32 or pixels.inverted or len(content) < pixels.native_bytes:
        what = "floating-point pixels that are truncated, inverted or not of 32 bits"
        size = f"{len(content)} bytes"
        raise FormatError(what, path=path, field="FloatPixelData", found=size)
    values = np.frombuffer(content, f"{order}f4", pixels.native_bytes // 4)
    for number in numbers:
        yield values.reshape(pixels.frames, pixels.rows, pixels.columns)[number].astype(np.float64)
