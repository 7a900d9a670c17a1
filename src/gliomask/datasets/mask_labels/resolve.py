"""Resolution of the label scheme of masks, for all commands.

In order of priority: a statement of the user; metadata (the writer of the file, a layout,
``dataset.json``); the challenge in the names; the scheme of the other side, if it fits; the
numbers, if they are exactly those of one published scheme. If two interpretations would give
different regions, or none fits, a ``QuestionError`` lists the options.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from gliomask.core.counted import listed
from gliomask.core.label_scheme import LabelScheme
from gliomask.core.labels import BACKGROUND, TUMOUR
from gliomask.core.regions import REGIONS
from gliomask.datasets.mask_labels.names import part_in_file_name
from gliomask.datasets.mask_labels.numbers import BY_NUMBERS, SCHEMES, Challenge, challenge_in
from gliomask.datasets.mask_labels.option import NAMES
from gliomask.errors import QuestionError, option

Numbers = frozenset[int]
"""Numbers in a mask, except 0."""
BOTH, PREDICTIONS = "labels", "prediction_labels"
"""Options that state the scheme of all masks, and of the predictions."""
_PLAIN = frozenset({1, 255})
"""Numbers that mark a tumour without labelled parts."""
_FEW = 12
"""Number of different values above which values are grey levels."""


class Reading(NamedTuple):
    """Label scheme of some masks, with the reason."""

    scheme: LabelScheme
    reason: str


@dataclass(frozen=True)
class NumberedMask:
    """Known facts about the numbers in one mask.

    Attributes:
        names: names of its file, its case and its folder; the first that contains a challenge is
            used.
        numbers: its numbers; empty if it could not be read.
        stated: scheme from its writer, its layout or a ``dataset.json``.
        origin: source of that scheme, for display.
        unreadable: whether it could not be read.
        unclear: names of the labels in a ``dataset.json``, if they are ambiguous: other names and
            numbers are then no evidence.
    """

    names: tuple[str, ...]
    numbers: Numbers = frozenset()
    stated: LabelScheme | None = None
    origin: str = "from the layout"
    unclear: tuple[str, ...] = ()
    unreadable: bool = False


@dataclass(frozen=True)
class Side:
    """Masks whose scheme one option states.

    Attributes:
        what: name in messages: ``references``.
        option: the option.
        masks: all masks.
        stated: scheme stated by the user.
    """

    what: str
    option: str
    masks: tuple[NumberedMask, ...]
    stated: LabelScheme | None = None


def resolve(side: Side, other: LabelScheme | None = None) -> tuple[Reading, ...]:
    """Resolve the scheme of each mask of a side.

    Args:
        side: the masks.
        other: scheme of the masks on the other side, if it is unique.

    Raises:
        QuestionError: several interpretations with different regions, or none; the message lists
            the options.
    """
    if side.stated is not None:
        return (Reading(side.stated, "as stated"),) * len(side.masks)
    challenges = [challenge_in(mask.names) for mask in side.masks]
    readings: dict[Challenge | None, Reading] = {}
    for challenge in dict.fromkeys(challenges):
        group = [
            mask
            for mask, challenge_of_mask in zip(side.masks, challenges, strict=True)
            if challenge_of_mask == challenge and mask.stated is None
        ]
        if group:
            readings[challenge] = _of_group(side, group, challenge, other)
    return tuple(
        readings[challenge_of_mask] if mask.stated is None else Reading(mask.stated, mask.origin)
        for mask, challenge_of_mask in zip(side.masks, challenges, strict=True)
    )


def resolve_both(first: Side, second: Side) -> tuple[tuple[Reading, ...], tuple[Reading, ...]]:
    """Resolve the schemes of two compared sides; each may resolve the other.

    If both sides are ambiguous in the same way, only the regions that are the same in every
    interpretation are used, with a note.

    Raises:
        QuestionError: as ``resolve``; the message names the side, or the option for both.
    """
    try:
        readings = resolve(first)
    except QuestionError as question:
        try:
            known = resolve(second)
        except QuestionError as doubt:
            return _in_doubt(first, second, question, doubt)
        return resolve(first, common(known)), known
    return readings, resolve(second, common(readings))


def _in_doubt(
    first: Side, second: Side, question: QuestionError, doubt: QuestionError
) -> tuple[tuple[Reading, ...], tuple[Reading, ...]]:
    """Scheme of both sides with the common regions of all interpretations, if these include the
    tumour."""
    if doubt.answers != question.answers:
        raise question
    masks = (*first.masks, *second.masks)
    present = frozenset[int]().union(*(mask.numbers for mask in masks))
    schemes = [SCHEMES[key] for key, _ in question.answers if key in SCHEMES]
    sure = tuple(r for r in REGIONS if len({_meaning(s, present, (r,)) for s in schemes}) == 1)
    known = any(mask.stated or mask.unclear or challenge_in(mask.names) for mask in masks)
    if "whole" not in sure or known or len(schemes) < 2:
        raise QuestionError(question.what, option=BOTH, answers=question.answers)
    name = " or ".join(scheme.name for scheme in schemes)
    scheme = replace(schemes[0], name=name, only=sure)
    left = " and ".join(region for region in REGIONS if region not in sure)
    keys = " or ".join(key for key, _ in question.answers)
    left = f"{left} is omitted; {option(BOTH)} states its meaning: {keys}"
    reason = f"the same for {' and '.join(sure)}; {left}"
    reading = Reading(scheme, reason)
    return (reading,) * len(first.masks), (reading,) * len(second.masks)


def common(readings: Iterable[Reading]) -> LabelScheme | None:
    """Common scheme of several masks; None if there are several or none."""
    schemes = {reading.scheme for reading in readings}
    return schemes.pop() if len(schemes) == 1 else None


def explanations(what: str, readings: Iterable[Reading]) -> tuple[str, ...]:
    """A line for each different interpretation of a side."""
    return tuple(
        f"{what}: {reading.scheme.name}, {reading.reason}" for reading in dict.fromkeys(readings)
    )


def unknown_number(numbers: Collection[int], scheme: LabelScheme) -> int | None:
    """First number that is not in a scheme, or None."""
    if scheme.binary:
        return None
    return min(set(numbers) - {0, *dict(scheme.values)}, default=None)


def _of_group(
    side: Side,
    masks: Sequence[NumberedMask],
    challenge: Challenge | None,
    other: LabelScheme | None,
) -> Reading:
    """Scheme of masks without metadata, all of one challenge or of none."""
    sets = [mask.numbers for mask in masks]
    present = frozenset[int]().union(*sets)
    if unclear := next((mask.unclear for mask in masks if mask.unclear), ()):
        raise _unclear(side, present, unclear)
    named = _named(sets, challenge)
    beside = [other] if other is not None and _fits(present, other) else []
    if not present:
        unread = _plain(frozenset({1})).scheme
        unreadable = any(mask.unreadable for mask in masks)
        reason = "no mask could be read" if unreadable else "all masks are empty"
        return Reading((named or beside or [unread])[0], reason)
    if min(present) < 0 and not named and not beside:
        raise _question(side, present, [])
    if len(present) == 1 and (challenge is None or present <= _PLAIN):
        _check_names(side, masks, present)
    if present <= _PLAIN and all(len(labels) <= 1 for labels in sets):
        return _plain(present)
    regions = ("whole",) if other is not None and other.regions == ("whole",) else tuple(REGIONS)
    if named:
        agreeing = {_meaning(scheme, present, regions) for scheme in named}
        settled = [labels for labels in beside if _meaning(labels, present, regions) in agreeing]
        candidates = settled or [*named, *beside]
        if side.option == PREDICTIONS:  # the names identify the cases, not the tool
            candidates = [*candidates, *_rivals(present, candidates[0])]
        reason = f"from the challenge in their names ({challenge.name if challenge else ''})"
    elif beside:
        candidates = [*beside, *_rivals(present, beside[0])]
        reason = "same as the masks they are compared with"
    elif len(present) == 1 and challenge is None:
        return _plain(present)
    else:
        candidates = _exact(present) or _supersets(present)
        reason = f"from the numbers in the masks ({_listed(present)})"
        if challenge is not None:
            raise _question(side, present, candidates)
    if len({_meaning(scheme, present, regions) for scheme in candidates}) != 1:
        raise _question(side, present, candidates)
    return Reading(_shared(candidates, present), reason)


def _check_names(side: Side, masks: Sequence[NumberedMask], present: Numbers) -> None:
    """Ask about masks whose file names state a part of the tumour, or another structure."""
    for mask in masks:
        name = mask.names[0] if mask.names else ""
        label, answers = part_in_file_name(name), {"binary": "they are the whole tumour"}
        if label is None:
            continue
        if label != BACKGROUND:
            answers = {f"{n}={NAMES[label]}": f"only {NAMES[label]}" for n in present} | answers
        stated = NAMES[label] if label != BACKGROUND else "something other than a tumour"
        what = f"the {side.what} have one number, and the name {name} says {stated}"
        raise QuestionError(what, option=side.option, answers=tuple(answers.items()))


def _rivals(present: Numbers, other: LabelScheme) -> list[LabelScheme]:
    """Alternative schemes if the scheme of the other side does not fit: the only one with exactly
    these numbers; or tumour, if the other scheme defines a single number as background."""
    exact = _exact(present)
    if len({_meaning(scheme, present, tuple(REGIONS)) for scheme in exact}) == 1:
        return exact
    if len(present) == 1 and min(present) > 0 and not any(_meaning(other, present, ("whole",))[0]):
        return [_plain(present).scheme]
    return []


def _named(sets: Sequence[Numbers], challenge: Challenge | None) -> list[LabelScheme]:
    """Matching schemes of a challenge; or the one that some masks use completely.

    In the second case, masks with another number are refused individually.
    """
    schemes = [SCHEMES[key] for key in challenge.schemes] if challenge is not None else []
    present = frozenset[int]().union(*sets)
    if fitting := [scheme for scheme in schemes if _fits(present, scheme)]:
        return fitting
    for scheme in schemes:
        inside = [candidate for candidate in sets if _fits(candidate, scheme)]
        if frozenset[int]().union(*inside) == dict(scheme.values).keys():
            return [scheme]
    return []


def _fits(numbers: Numbers, scheme: LabelScheme) -> bool:
    return not scheme.binary and len(scheme.values) > 1 and unknown_number(numbers, scheme) is None


def _exact(present: Numbers) -> list[LabelScheme]:
    """Schemes with exactly these numbers; two numbers are no evidence, as every scheme has a 1."""
    known = [SCHEMES[key] for key in BY_NUMBERS]
    return [
        scheme
        for scheme in known
        if len(scheme.values) > 2 and dict(scheme.values).keys() == present
    ]


def _supersets(present: Numbers) -> list[LabelScheme]:
    return [SCHEMES[key] for key in BY_NUMBERS if _fits(present, SCHEMES[key])]


def _plain(present: Numbers) -> Reading:
    values = tuple((number, TUMOUR) for number in sorted(present))
    numbers = _listed(present)
    return Reading(
        LabelScheme("tumour or not", values), f"from the number in the masks ({numbers})"
    )


def _meaning(
    scheme: LabelScheme, present: Numbers, regions: Sequence[str]
) -> tuple[tuple[bool, ...], ...]:
    """Regions of each number."""
    label = dict(scheme.values)
    return tuple(
        tuple(label[n] in REGIONS[r].labels for r in regions) for n in sorted(present) if n in label
    )


def _shared(candidates: Sequence[LabelScheme], present: Numbers) -> LabelScheme:
    """The first scheme, or only the whole tumour if the schemes agree on nothing else."""
    everywhere = tuple(REGIONS)
    if len({_meaning(scheme, present, everywhere) for scheme in candidates}) == 1:
        return candidates[0]
    label = dict(candidates[0].values)
    tumour = {
        n: TUMOUR if label[n] in REGIONS["whole"].labels else BACKGROUND for n in sorted(present)
    }
    return LabelScheme("whole tumour", tuple(tumour.items()))


def _question(side: Side, present: Numbers, candidates: Sequence[LabelScheme]) -> QuestionError:
    numbers = _listed(present)
    answers: dict[str, str] = {}
    schemes_seen = set()
    for scheme in candidates:
        meaning = _meaning(scheme, present, tuple(REGIONS))
        if meaning not in schemes_seen:
            schemes_seen.add(meaning)
            answers[answer_for(scheme)] = _described(scheme)
    if len(answers) == 1 and min(present) > 0:
        answers["binary"] = "any number but 0 is tumour"
    if answers:
        what = f"the {side.what} contain the numbers {numbers}, which are ambiguous"
        return QuestionError(what, option=side.option, answers=tuple(answers.items()))
    if len(present) > _FEW:
        half = (max(present) + 1) // 2
        what = f"the {side.what} contain {len(present)} different numbers up to {max(present)}"
        grey = [(f"threshold={half}", f"tumour from {half} on"), ("binary", "tumour from 1 on")]
        return QuestionError(what, option=side.option, answers=grey[: 1 if min(present) < 0 else 2])
    what = f"the {side.what} contain the numbers {numbers}, which are in no known scheme"
    return QuestionError(what, option=side.option, answers=_blank(present))


def _unclear(side: Side, present: Numbers, names: Sequence[str]) -> QuestionError:
    called = ", ".join(names[:_FEW])
    what = f"the labels of the {side.what} are called {called}: some of these names are ambiguous"
    return QuestionError(what, option=side.option, answers=_blank(present))


def _blank(present: Numbers) -> tuple[tuple[str, str], ...]:
    """General options if there are no candidates; negative numbers are no tumour."""
    numbers = sorted(present) or [1]
    pairs = ",".join(f"{n}={NAMES[BACKGROUND] if n < 0 else 'NAME'}" for n in numbers)
    by_name = pairs, f"each NAME one of {', '.join(NAMES.values())}"
    return (by_name,) if numbers[0] < 0 else (by_name, ("binary", "any number but 0 is tumour"))


def answer_for(scheme: LabelScheme) -> str:
    """Value of the option that states this scheme."""
    keys = [key for key, known in SCHEMES.items() if known.values == scheme.values]
    return keys[0] if keys else _pairs(scheme)


def _described(scheme: LabelScheme) -> str:
    return f"{scheme.name}: {_pairs(scheme).replace('=', ' ').replace(',', ', ')}"


def _pairs(scheme: LabelScheme) -> str:
    return ",".join(f"{n}={NAMES[label]}" for n, label in scheme.values)


def _listed(numbers: Iterable[int]) -> str:
    return listed(map(str, sorted(numbers)), 8)
