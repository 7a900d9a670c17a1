"""Prediction with a memory limit: fewer threads, and refusal of too large scans.

The required memory is estimated from the sizes of the network and of the scan, by measured
coefficients (``benchmarks/growth/curves.py``); the system enforces the limit if they are too low
(``machine.memory_limit``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gliomask.core.case import Case
from gliomask.errors import CaseError, MachineError
from gliomask.formats.headers import image_header
from gliomask.inference.engines.engine import usable_threads
from gliomask.machine.memory_limit import mib, resident_bytes
from gliomask.nets.cards import ModelCard

_OPTION: Final = "limit_memory"
_MIB: Final = 2**20
_PROGRAM: Final = 110 * _MIB
"""What is loaded after the network: what draws and writes."""
_THREAD: Final = 48 * _MIB
"""Each thread of the engine is a process that loads its own libraries ..."""
_WEIGHT_BYTES, _PIXEL_BYTES = 12, 2048
"""... and needs so many for each weight (Winograd's are four times as many) and each pixel."""
_LOADING_BYTES: Final = 20
"""For each weight while the network is converted."""
_VOXEL_BYTES, _SEQUENCE_BYTES = 12, 8
"""For each voxel of a scan, and again for each sequence of it."""


@dataclass(frozen=True)
class Share:
    """Share of the memory limit for the engine.

    Attributes:
        threads: number of threads.
        left: bytes that remain for this process, because each thread is a separate one.
        limit: bytes for both.
        most: bytes that the engine takes with all usable threads.
    """

    threads: int
    left: int
    limit: int
    most: int


def share_of(card: ModelCard, limit: int) -> Share:
    """Share of the limit for a model, such that half of it is left for the scan.

    Raises:
        MachineError: not even one thread may.
    """
    weights = card.parameters
    each = _THREAD + _WEIGHT_BYTES * weights + _PIXEL_BYTES * card.size**2
    room = limit - resident_bytes() - _PROGRAM
    if each > room / 2 or _LOADING_BYTES * weights > room:
        needed = resident_bytes() + _PROGRAM + max(2 * each, _LOADING_BYTES * weights)
        what = f"the network {card.network} needs more memory"
        raise MachineError(what, option=_OPTION, found=mib(limit), allowed=_enough(needed))
    usable = usable_threads()
    threads = min(usable, int(room / 2 // each))
    return Share(threads, limit - threads * each, limit, usable * each)


def check_fits(case: Case, share: Share) -> None:
    """Refuse a too large examination before it is read.

    Args:
        case: the examination.
        share: of the limit, for the engine.

    Raises:
        CaseError: it needs more than is left of the limit; a sufficient limit is stated.
        FormatError: an image is damaged at its beginning.
    """
    voxels = 0
    for file in case.images.values():
        rows, columns, slices = image_header(file).shape
        voxels = max(voxels, rows * columns * slices)
    needed = resident_bytes() + _PROGRAM
    needed += voxels * (_VOXEL_BYTES + _SEQUENCE_BYTES * len(case.images))
    if needed > share.left:
        what, enough = f"{case.id}: the scan needs more memory", _enough(needed + share.most)
        raise CaseError(what, option=_OPTION, found=mib(share.limit), allowed=enough)


def _enough(needed: int) -> str:
    return f"about {-(-needed // _MIB)} MiB or more"
