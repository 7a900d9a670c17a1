"""Reading of a series as a volume, from its files only."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gliomask.core.volume import Affine, FloatArray
from gliomask.errors import FormatError
from gliomask.formats.dicom.file import read_file
from gliomask.formats.dicom.frame import Frame
from gliomask.formats.dicom.grid import SeriesGrid, arrange
from gliomask.formats.dicom.parts import volumes_of
from gliomask.formats.dicom.pixels import read_frames
from gliomask.jobs.control import SILENT, Control


def read_series(
    paths: Sequence[Path], part: int | None = None, control: Control = SILENT
) -> tuple[FloatArray, Affine]:
    """The intensities of a series, each slice scaled as its header says.

    Args:
        paths: its files, in any order.
        part: which volume of files with several (echoes, kinds, stacks), from 0.
        control: a stop ends it between two files or frames.

    Returns:
        (I = columns, J = rows, K = slices) float32, K along the normal of the slices; and the
        affine (4, 4) float64, voxel index to RAS+ millimetres.

    Raises:
        FormatError: a file that can't be used; frames that form no volume; several volumes and no
            choice, or no such volume.
        MachineError: the disk failed.
    """
    grid = series_grid(paths, part, control)
    columns, rows, slices = grid.shape
    stack = np.empty((slices, rows, columns), np.float32)
    places = _by_file(grid.frames)
    frames = [(path, [grid.frames[k].number for k in ks]) for path, ks in places.items()]
    order = [k for ks in places.values() for k in ks]
    for k, stored in zip(order, read_frames(frames), strict=True):
        control.check()
        slope, intercept = grid.frames[k].scaling
        stack[k] = stored * slope + intercept
    return stack.transpose(2, 1, 0), grid.affine


def series_grid(
    paths: Sequence[Path], part: int | None = None, control: Control = SILENT
) -> SeriesGrid:
    """The grid of a series, from the headers of its files; see ``read_series``."""
    frames: list[Frame] = []
    uids = set()
    for path in paths:
        control.check()
        file = read_file(path)
        if file.problem or file.directory:
            raise FormatError(file.problem or f"{path}: a DICOMDIR, not an image")
        uids.add(file.tags.series_uid)
        frames += file.frames
    where = paths[0].parent
    if len(uids) > 1:
        what = "files of several series"
        raise FormatError(what, path=where, field="SeriesInstanceUID", found=len(uids), allowed="1")
    try:
        return arrange(_choose(volumes_of(frames), part))
    except FormatError as problem:
        problem.path = where if len(paths) > 1 else paths[0]
        raise


def _choose(parts: list[list[Frame]], part: int | None) -> list[Frame]:
    if part is None and len(parts) > 1:
        what = "several volumes in one series instead of one"
        raise FormatError(what, field="volumes", found=len(parts), allowed="1")
    if part is not None and not 0 <= part < len(parts):
        allowed = f"0 to {len(parts) - 1}"
        raise FormatError("no such volume", field="channel", found=part, allowed=allowed)
    return parts[part or 0]


def _by_file(frames: Sequence[Frame]) -> dict[Path, list[int]]:
    """File -> places of its frames along K."""
    numbers: dict[Path, list[int]] = {}
    for k, frame in enumerate(frames):
        numbers.setdefault(frame.path, []).append(k)
    return numbers
