"""What the numbers in masks mean, where no layout tells: that is guessed from all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from gliomask.core.labels import BINARY, BRATS_2021, BRATS_2023, LabelScheme
from gliomask.core.progress import Progress
from gliomask.datasets.table import SCHEMES
from gliomask.formats.images import read_labels
from gliomask.workflows.files import file_key
from gliomask.workflows.journal import Journal, go_on
from gliomask.workflows.masks import MaskFile
from gliomask.workflows.pairing import Pair

Labels = Literal["auto", "binary", "brats2021", "brats2023", "brats2024"]
Numbers = tuple[int, ...]
"""The numbers in a mask but 0."""


@dataclass(frozen=True)
class Schemes:
    """How masks are read that nothing explains.

    Attributes:
        reference: the references.
        prediction: the predictions.
        explanation: in words, also of those that something explains.
    """

    reference: LabelScheme
    prediction: LabelScheme
    explanation: tuple[str, ...]


def find_schemes(
    pairs: Sequence[Pair], labels: Labels, out: Path, progress: Progress, workers: int | None
) -> Schemes:
    """The schemes that were named, or those that the numbers in all masks together tell.

    Args:
        pairs: of masks; only those without a scheme are read.
        labels: what was named.
        out: the folder of the batch, beside which the numbers found are kept.
        progress: is told of each mask.
        workers: see ``spread``.
    """
    if labels != "auto":
        scheme = SCHEMES[labels]
        return Schemes(scheme, scheme, (f"labels: {scheme.name}, as told",))
    sides = list(zip(*pairs, strict=True)) or [(), ()]
    unknown = [
        _Unread(mask, side)
        for side, masks in enumerate(sides)
        for mask in masks
        if mask.scheme is None
    ]
    progress.start(len(unknown), "reading labels")
    with Journal(out, _Found, "labels") as journal:
        # What can't be read has no numbers here; judging it will tell the reason.
        found = go_on(_read, unknown, journal, progress, workers).pieces
    journal.discard()
    drawn, predicted = ({n for f in found if f.side == side for n in f.numbers} for side in (0, 1))
    named = [next((mask.scheme for mask in masks if mask.scheme), None) for masks in sides]
    return _guess(named[0], named[1], drawn, predicted)


@dataclass(frozen=True)
class _Unread:
    """A mask whose numbers are asked for."""

    mask: MaskFile
    side: int

    @property
    def key(self) -> str:
        return f"{self.side}:{file_key(self.mask.file.paths)}"

    @property
    def case(self) -> str:
        return f"{self.mask.case} {self.side}"


@dataclass(frozen=True)
class _Found:
    side: int
    numbers: Numbers


def _read(task: _Unread) -> _Found:
    numbers, _ = read_labels(task.mask.file, numbered=True)
    return _Found(task.side, tuple(sorted(set(np.unique(numbers).tolist()) - {0})))


def _guess(
    drawn_as: LabelScheme | None,
    found_as: LabelScheme | None,
    drawn: set[int],
    found: set[int],
) -> Schemes:
    """What is told first; then what the numbers tell; an empty side is read as the other one."""
    reference = drawn_as or scheme_of(drawn or found)
    prediction = found_as or (scheme_of(found) if found else reference)
    return Schemes(
        reference,
        prediction,
        (
            f"references: {reference.name}, {_reason(drawn_as, drawn)}",
            f"predictions: {prediction.name}, {_reason(found_as, found)}",
        ),
    )


def scheme_of(numbers: set[int]) -> LabelScheme:
    """One number is a tumour; 1, 2 and 4, or 1, 2 and 3, are BraTS; anything else is a tumour."""
    if len(numbers) > 1:
        for scheme in (BRATS_2023, BRATS_2021):
            if numbers <= {number for number, _ in scheme.values}:
                return scheme
    return BINARY


def _reason(told: LabelScheme | None, numbers: Iterable[int]) -> str:
    if told is not None:
        return "by the layout"
    named = ", ".join(map(str, sorted(numbers)[:8])) or "none"
    return f"by the numbers in the masks ({named})"
