"""The one resolver of what the numbers in masks mean, for every command.

In the order of trust: an answer of the user; what the writer of the file, a layout or
``dataset.json`` states; the challenge in the names; the scheme of the other side, if it fits; the
numbers themselves, if they are exactly those of one published scheme. Where two readings would
give different regions, or nothing fits, the user is asked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from gliomask.core.label_scheme import LabelScheme
from gliomask.core.labels import BACKGROUND, TUMOUR
from gliomask.core.regions import REGIONS
from gliomask.datasets.mask_labels.answer import NAMES
from gliomask.datasets.mask_labels.names import part_in_file_name
from gliomask.datasets.mask_labels.numbers import BY_NUMBERS, SCHEMES, Challenge, challenge_in
from gliomask.errors import QuestionError, option

Numbers = frozenset[int]
"""The numbers in a mask but 0."""
BOTH, PREDICTIONS = "labels", "prediction_labels"
"""The options that answer for all masks, and for those compared with references."""
_PLAIN = frozenset({1, 255})
"""Numbers that mark a tumour without labelled parts."""
_FEW = 12
"""More different numbers than this are grey levels."""


class Reading(NamedTuple):
    """Label scheme of some masks, with the reason."""

    scheme: LabelScheme
    reason: str


@dataclass(frozen=True)
class NumberedMask:
    """Known facts about the numbers in one mask.

    Attributes:
        names: of its file, its case and its folder; the first that contains a challenge counts.
        numbers: in it; none if it could not be read.
        stated: what its writer, its layout or a ``dataset.json`` says.
        origin: of what is stated, for people.
        unreadable: why it holds no numbers is not that it is empty.
        unclear: what a ``dataset.json`` calls the labels, where these names are not clear: then
            neither other names nor numbers are evidence.
    """

    names: tuple[str, ...]
    numbers: Numbers = frozenset()
    stated: LabelScheme | None = None
    origin: str = "by the layout"
    unclear: tuple[str, ...] = ()
    unreadable: bool = False


@dataclass(frozen=True)
class Side:
    """Masks that one option answers for.

    Attributes:
        what: they are, for people: ``references``.
        option: that answers.
        masks: all of them.
        answer: of the user.
    """

    what: str
    option: str
    masks: tuple[NumberedMask, ...]
    answer: LabelScheme | None = None


def resolve(side: Side, other: LabelScheme | None = None) -> tuple[Reading, ...]:
    """A reading for each mask of a side.

    Args:
        side: the masks.
        other: the scheme of the masks that they are compared with, if these have a single one.

    Raises:
        QuestionError: readings that give different regions, or none; it lists the answers.
    """
    if side.answer is not None:
        return (Reading(side.answer, "as answered"),) * len(side.masks)
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
    """A reading for each mask of two sides that are compared; each may explain the other.

    Where both sides are in the same doubt, the regions that every reading of the numbers gives
    alike are sure, whichever is meant; the others are left out, and the reason says so.

    Raises:
        QuestionError: as ``resolve``; it names the side, or the option for both.
    """
    try:
        readings = resolve(first)
    except QuestionError as asked:
        try:
            known = resolve(second)
        except QuestionError as doubt:
            return _in_doubt(first, second, asked, doubt)
        return resolve(first, common(known)), known
    return readings, resolve(second, common(readings))


def _in_doubt(
    first: Side, second: Side, question: QuestionError, doubt: QuestionError
) -> tuple[tuple[Reading, ...], tuple[Reading, ...]]:
    """Both sides by what the answers to one question agree on, if that includes the tumour."""
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
    """The scheme that readings share; None if there are several or none."""
    schemes = {reading.scheme for reading in readings}
    return schemes.pop() if len(schemes) == 1 else None


def explanations(what: str, readings: Iterable[Reading]) -> tuple[str, ...]:
    """A line for each different reading of a side."""
    return tuple(
        f"{what}: {reading.scheme.name}, {reading.reason}" for reading in dict.fromkeys(readings)
    )


def unknown_number(numbers: Collection[int], scheme: LabelScheme) -> int | None:
    """The first number that a scheme does not know, None if it knows all."""
    if scheme.binary:
        return None
    return min(set(numbers) - {0, *dict(scheme.values)}, default=None)


def _of_group(
    side: Side,
    masks: Sequence[NumberedMask],
    challenge: Challenge | None,
    other: LabelScheme | None,
) -> Reading:
    """Of masks that nothing states, all of one challenge or of none."""
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
    if len(present) == 1 and (challenge is None or present <= _PLAIN):
        _check_names(side, masks, present)
    if present <= _PLAIN and all(len(labels) <= 1 for labels in sets):
        return _plain(present)
    regions = ("whole",) if other is not None and other.regions == ("whole",) else tuple(REGIONS)
    if named:
        agreeing = {_meaning(scheme, present, regions) for scheme in named}
        settled = [labels for labels in beside if _meaning(labels, present, regions) in agreeing]
        candidates = settled or [*named, *beside]
        if side.option == PREDICTIONS:  # the names are those of the cases, not of who drew them
            candidates = [*candidates, *_rivals(present, candidates[0])]
        reason = f"by the challenge in their names ({challenge.name if challenge else ''})"
    elif beside:
        candidates = [*beside, *_rivals(present, beside[0])]
        reason = "as the masks they are compared with"
    elif len(present) == 1 and challenge is None:
        return _plain(present)
    else:
        candidates = _exact(present) or _supersets(present)
        reason = f"by the numbers in the masks ({_listed(present)})"
        if challenge is not None:
            raise _question(side, present, candidates)
    if len({_meaning(scheme, present, regions) for scheme in candidates}) != 1:
        raise _question(side, present, candidates)
    return Reading(_shared(candidates, present), reason)


def _check_names(side: Side, masks: Sequence[NumberedMask], present: Numbers) -> None:
    """Ask about masks whose file names state a part of the tumour, or another structure."""
    for mask in masks:
        name = mask.names[0] if mask.names else ""
        label, answers = part_in_file_name(name), {"binary": "they mark the whole tumour"}
        if label is None:
            continue
        if label != BACKGROUND:
            answers = {f"{n}={NAMES[label]}": f"only {NAMES[label]}" for n in present} | answers
        stated = NAMES[label] if label != BACKGROUND else "something other than a tumour"
        what = f"the {side.what} have one number, and the name {name} says {stated}"
        raise QuestionError(what, option=side.option, answers=tuple(answers.items()))


def _rivals(present: Numbers, other: LabelScheme) -> list[LabelScheme]:
    """Alternative schemes that fit the other side: the only one with exactly these numbers; or a
    tumour, where the other side says of a single number that it is none."""
    exact = _exact(present)
    if len({_meaning(scheme, present, tuple(REGIONS)) for scheme in exact}) == 1:
        return exact
    if len(present) == 1 and not any(_meaning(other, present, ("whole",))[0]):
        return [_plain(present).scheme]
    return []


def _named(sets: Sequence[Numbers], challenge: Challenge | None) -> list[LabelScheme]:
    """The schemes of a challenge that fit; or the one that some masks use in full.

    In the second case the masks that hold another number are refused one by one.
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
    known = [SCHEMES[key] for key in BY_NUMBERS]
    return [scheme for scheme in known if dict(scheme.values).keys() == present]


def _supersets(present: Numbers) -> list[LabelScheme]:
    return [SCHEMES[key] for key in BY_NUMBERS if _fits(present, SCHEMES[key])]


def _plain(present: Numbers) -> Reading:
    values = tuple((number, TUMOUR) for number in sorted(present))
    numbers = _listed(present)
    return Reading(LabelScheme("tumour or not", values), f"by the number in the masks ({numbers})")


def _meaning(
    scheme: LabelScheme, present: Numbers, regions: Sequence[str]
) -> tuple[tuple[bool, ...], ...]:
    """Of each number: which regions it is part of."""
    label = dict(scheme.values)
    return tuple(
        tuple(label[n] in REGIONS[r].labels for r in regions) for n in sorted(present) if n in label
    )


def _shared(candidates: Sequence[LabelScheme], present: Numbers) -> LabelScheme:
    """The first, or of schemes that share no more than the whole tumour, that."""
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
    if len(answers) == 1:
        answers["binary"] = "any number but 0 is tumour"
    if answers:
        what = f"the {side.what} hold the numbers {numbers}, which are ambiguous"
        return QuestionError(what, option=side.option, answers=tuple(answers.items()))
    if len(present) > _FEW:
        half = (max(present) + 1) // 2
        what = f"the {side.what} hold {len(present)} different numbers up to {max(present)}"
        grey = (f"threshold={half}", f"tumour from {half} on"), ("binary", "tumour from 1 on")
        return QuestionError(what, option=side.option, answers=grey)
    what = f"the {side.what} hold the numbers {numbers}, which are in no known scheme"
    return QuestionError(what, option=side.option, answers=_blank(present))


def _unclear(side: Side, present: Numbers, names: Sequence[str]) -> QuestionError:
    called = ", ".join(names[:_FEW])
    what = f"the labels of the {side.what} are called {called}: not all of these names are clear"
    return QuestionError(what, option=side.option, answers=_blank(present))


def _blank(present: Numbers) -> tuple[tuple[str, str], ...]:
    """The answers where there is nothing to choose from."""
    pairs = ",".join(f"{n}=NAME" for n in sorted(present) or (1,))
    names = ", ".join(NAMES.values())
    return (pairs, f"each NAME one of {names}"), ("binary", "any number but 0 is tumour")


def answer_for(scheme: LabelScheme) -> str:
    """Value of the option that states this scheme."""
    keys = [key for key, known in SCHEMES.items() if known.values == scheme.values]
    return keys[0] if keys else _pairs(scheme)


def _described(scheme: LabelScheme) -> str:
    return f"{scheme.name}: {_pairs(scheme).replace('=', ' ').replace(',', ', ')}"


def _pairs(scheme: LabelScheme) -> str:
    return ",".join(f"{n}={NAMES[label]}" for n, label in scheme.values)


def _listed(numbers: Iterable[int]) -> str:
    listed = sorted(numbers)
    more = f" and {len(listed) - 8} more" if len(listed) > 8 else ""
    return ", ".join(map(str, listed[:8])) + more
