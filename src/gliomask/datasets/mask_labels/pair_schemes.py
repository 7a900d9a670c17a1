"""Label schemes of two sets of masks that are compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gliomask.core.label_scheme import LabelScheme
from gliomask.datasets.mask_files import MaskFile
from gliomask.datasets.mask_labels.case_schemes import SAMPLE, mask_numbers, names_of
from gliomask.datasets.mask_labels.option import AUTO, scheme_of_option
from gliomask.datasets.mask_labels.resolve import (
    PREDICTIONS,
    NumberedMask,
    Reading,
    Side,
    explanations,
    resolve_both,
)
from gliomask.datasets.mask_pairs import Pair
from gliomask.errors import QuestionError
from gliomask.formats.file_key import file_key
from gliomask.jobs.control import Control
from gliomask.jobs.journal import Journal, go_on

_SIDES = (("references", "reference_labels"), ("predictions", PREDICTIONS))


@dataclass(frozen=True)
class LabelOptions:
    """The user's statements about the numbers, see ``mask_labels.option``.

    Attributes:
        both: of all masks.
        reference, prediction: of one side, instead.
    """

    both: str = AUTO
    reference: str = AUTO
    prediction: str = AUTO

    @property
    def schemes(self) -> tuple[LabelScheme | None, LabelScheme | None]:
        """Schemes of references and predictions; None without a statement.

        Raises:
            ConfigError: an invalid statement.
        """
        both = scheme_of_option(self.both)
        sides = zip(_SIDES, (self.reference, self.prediction), strict=True)
        first, second = (scheme_of_option(text, option) for (_, option), text in sides)
        return first or both, second or both


@dataclass(frozen=True)
class Schemes:
    """Label schemes of a pair of masks.

    Attributes:
        pairs: (reference's, prediction's) scheme of each pair.
        explanation: description.
    """

    pairs: tuple[tuple[LabelScheme, LabelScheme], ...]
    explanation: tuple[str, ...]


def find_schemes(
    pairs: Sequence[Pair], options: LabelOptions, out: Path, control: Control, workers: int
) -> Schemes:
    """Resolve the schemes of pairs of masks.

    Args:
        pairs: pairs of masks; masks without a stated scheme are read.
        options: statements of the user.
        out: output folder of the batch; the numbers are stored next to it.
        control: receives the progress of each mask.
        workers: see ``spread``.

    Raises:
        QuestionError: the numbers can be read in several ways, or in none.
        ConfigError: an invalid statement.
    """
    schemes = options.schemes
    sides = list(zip(*pairs, strict=True)) or [(), ()]
    masks_to_read = [() if stated else masks for masks, stated in zip(sides, schemes, strict=True)]

    def attempt(tasks: Sequence[_Unread]) -> Schemes:
        numbers = _read_all(tasks, out, control, workers)
        numbered = [
            Side(what, option, tuple(_numbered(mask, numbers) for mask in masks), stated)
            for (what, option), masks, stated in zip(_SIDES, sides, schemes, strict=True)
        ]
        readings = resolve_both(numbered[0], numbered[1])
        return _schemes(readings)

    unknown = [[mask for mask in masks if mask.scheme is None] for masks in masks_to_read]
    every = [
        _Unread(m, what) for (what, _), side in zip(_SIDES, unknown, strict=True) for m in side
    ]
    some = [
        _Unread(m, what)
        for (what, _), side in zip(_SIDES, unknown, strict=True)
        for m in _few(side)
    ]
    try:
        return attempt(some)
    except QuestionError:
        if len(some) == len(every):
            raise
    return attempt(every)


@dataclass(frozen=True)
class _Unread:
    """A mask whose numbers are needed, and its side."""

    mask: MaskFile
    what: str

    @property
    def key(self) -> str:
        return file_key(self.mask.file.paths)

    @property
    def case(self) -> str:
        return f"{self.what} {self.mask.case}"


@dataclass(frozen=True)
class _MaskNumbers:
    key: str
    numbers: tuple[int, ...]


def _few(masks: Sequence[MaskFile]) -> list[MaskFile]:
    """Masks to read: some masks of a data set, or all other masks."""
    published = [mask for mask in masks if mask.published]
    step = max(1, -(-len(published) // SAMPLE))
    return [*published[::step], *(mask for mask in masks if not mask.published)]


def _read_all(
    tasks: Sequence[_Unread], out: Path, control: Control, workers: int
) -> dict[str, frozenset[int]]:
    control.start(len(tasks), "reading labels")
    with Journal(out, _MaskNumbers, "labels") as journal:
        numbered = go_on(_read, tasks, journal, control, workers).pieces
    journal.discard()
    return {mask.key: frozenset(mask.numbers) for mask in numbered}


def _read(task: _Unread, _control: Control) -> _MaskNumbers:
    return _MaskNumbers(task.key, tuple(sorted(mask_numbers(task.mask.file) or ())))


def _numbered(mask: MaskFile, numbers: Mapping[str, frozenset[int]]) -> NumberedMask:
    return NumberedMask(
        names=names_of(mask.file, mask.case),
        numbers=numbers.get(file_key(mask.file.paths), frozenset()),
        stated=mask.scheme,
        origin=mask.origin,
        unclear=mask.label_names,
    )


def _schemes(readings: tuple[tuple[Reading, ...], tuple[Reading, ...]]) -> Schemes:
    notes = [
        line
        for (what, _), side in zip(_SIDES, readings, strict=True)
        for line in explanations(what, side)
    ]
    pairs = zip(*readings, strict=True)
    return Schemes(tuple((reading.scheme, other.scheme) for reading, other in pairs), tuple(notes))
