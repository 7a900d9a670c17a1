"""Files that contain the same image twice: byte for byte, or in another transfer syntax.

Archives send an image compressed and uncompressed, and a folder may have both. A copy has the
SOPInstanceUID, the places and the pixels of another file. Some anonymisers give all images one
SOPInstanceUID, so that alone makes no copy.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Sequence
from pathlib import Path

import numpy as np

from gliomask.formats.content import opened
from gliomask.formats.dicom.file import DicomFile
from gliomask.formats.dicom.pixels import read_frames

_CHUNK = 2**20


def without_copies(files: Sequence[DicomFile]) -> tuple[list[DicomFile], tuple[str, ...]]:
    """Each image once, and a note about what was left out.

    Raises:
        FormatError: pixels of two files that may be copies can't be decoded.
        MachineError: the disk failed.
    """
    named: dict[str, list[DicomFile]] = {}
    for file in files:
        named.setdefault(file.instance, []).append(file)
    originals: set[Path] = set()
    for instance, alike in named.items():
        once = alike if not instance or len(alike) == 1 else _once(alike)
        originals.update(file.path for file in once)
    left = [file for file in files if file.path in originals]
    copies = len(files) - len(left)
    return left, (f"{copies} copies of files were left out",) if copies else ()


def _once(alike: Sequence[DicomFile]) -> list[DicomFile]:
    """Files with different positions or pixels, among files with one SOPInstanceUID."""
    placed: dict[Hashable, list[DicomFile]] = {}
    for file in alike:
        placed.setdefault(_places(file), []).append(file)
    once: list[DicomFile] = []
    for same in placed.values():
        bytewise = list({_digest(file.path): file for file in reversed(same)}.values())[::-1]
        shown = {_pixels(file): file for file in reversed(bytewise)} if len(bytewise) > 1 else None
        once += bytewise if shown is None else list(shown.values())[::-1]
    return once


def _places(file: DicomFile) -> Hashable:
    return tuple(
        (frame.number, frame.size, frame.scaling, *np.round(frame.position, 3))
        for frame in file.frames
    )


def _pixels(file: DicomFile) -> bytes:
    digest = hashlib.sha256()
    for stored in read_frames([(file.path, [frame.number for frame in file.frames])]):
        digest.update(np.ascontiguousarray(stored, np.float64).tobytes())
    return digest.digest()


def _digest(path: Path) -> bytes:
    digest = hashlib.sha256()
    with opened(path) as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.digest()
