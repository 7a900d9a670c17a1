"""Contrast state (pre- or post-contrast) in words of a name.

``without``, ``pre``, ``post`` and their like in other languages say so only of the word that they
stand before: ``post op`` and ``without fatsat`` speak of something else.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence

from gliomask.datasets import vocabulary as vocab
from gliomask.datasets.name_words import (
    AGENT_LABEL,
    PERHAPS,
    UNCLEAR_LABEL,
    UNSURE,
    WITH_AND_WITHOUT,
    denies_itself,
    is_agent,
    is_known,
)
from gliomask.datasets.unknown_words import is_unknown

LETTER = "a letter in the name may mean contrast"
"""The doubt of a lone ``c`` or ``ce``, which an agent in the header settles."""
BOTH = "the name says both before and after contrast"
_DOUBTS = {
    WITH_AND_WITHOUT: BOTH,
    UNSURE: "a question mark or a zero next to the agent in the name may deny it",
    UNCLEAR_LABEL: "it is unclear whether the label of the entity ce names a contrast agent",
}
"""Sign in a name -> its doubt, which no other word of the name settles."""
_T1 = vocab.WEIGHTINGS["t1"] | {"t1"}


def contrast_in(words: Sequence[str], shared: Collection[str]) -> tuple[bool | None, str | None]:
    """After an agent (True), before or without one (False), or not stated (None); and a doubt.

    Args:
        words: of a name, see ``name_words``.
        shared: letters that are initials, see ``name_reading.read_name``.
    """
    states = [
        state for at in range(len(words)) if (state := _state_at(words, at, shared)) is not None
    ]
    if doubt := next((state for state in states if state in _DOUBTS.values()), None):
        return None, str(doubt)
    if {True, False} <= set(states):
        return None, BOTH
    if True in states or False in states:
        return True in states, None
    if doubts := [state for state in states if isinstance(state, str)]:
        return None, doubts[0]
    weak = vocab.NATIVE in words
    return (False if weak else None), None


def _state_at(words: Sequence[str], at: int, shared: Collection[str]) -> bool | str | None:
    """Contrast state of a single word: after, before, a doubt as a phrase, or nothing."""
    word, behind = words[at], words[at + 1] if at + 1 < len(words) else ""
    if word in vocab.UNENHANCED or word == AGENT_LABEL:
        return word == AGENT_LABEL
    if word in _DOUBTS:
        return _DOUBTS[word]
    if is_agent(word):
        return _of_agent(words, at)
    if word == PERHAPS or (word in vocab.PERHAPS_CONTRAST and word not in shared):
        return f"{word!r} in the name may mean contrast" if word != PERHAPS else LETTER
    if word in ("c", "ce"):
        return _of_letter(words, at, shared)
    if word in vocab.POST_ALONE or word == "pre":
        return _of_preposition(words, at, shared)
    if word in ("without", "wo", "ohne", "sans", "sin", "senza", "zonder") and not behind:
        return False
    return True if word in ("with", "mit", "avec") and not behind else None


def _of_preposition(words: Sequence[str], at: int, shared: Collection[str]) -> bool | str | None:
    """Contrast state of ``pre``, ``post`` and their like, which may be of something else."""
    behind = words[at + 1] if at + 1 < len(words) else ""
    if behind and _about_something_else(words, at):
        return None
    if behind not in shared and is_unknown(behind):
        return f"{words[at]!r} in the name may be of contrast or of {behind!r}"
    return words[at] in vocab.POST_ALONE


def _about_something_else(words: Sequence[str], at: int) -> bool:
    behind = words[at + 1]
    time = behind.isdecimal() and words[at + 2 : at + 3] and words[at + 2] in vocab.TIMES
    return bool(time) or behind in vocab.NOT_AGENT or is_agent(behind)  # evaluated by itself


def _of_agent(words: Sequence[str], at: int) -> bool | str | None:
    """Contrast state of an agent, given the words around it."""
    if words[at] == "contrast" and at and words[at - 1] in vocab.EXAMINATION:
        return None
    if words[at] == "contrast" and at and words[at - 1] in ("high", "hi", "low"):
        return f"{words[at - 1]!r} contrast in the name may be of the image or of an agent"
    if denies_itself(words[at]):
        return False
    if (denial := _denial_behind(words, at)) is not None:
        return denial
    place = at - 1
    while place >= 0 and (words[place] in vocab.BETWEEN or is_agent(words[place])):
        place -= 1
    governor = words[place] if place >= 0 else ""
    if governor == WITH_AND_WITHOUT or _joined_to_opposite(words, place):
        return BOTH
    if is_unknown(governor) and not _T1.isdisjoint(words[:place]):
        return f"{governor!r} before {words[at]!r} in the name is not understood"
    return governor not in vocab.WITHOUT | vocab.BEFORE


def _denial_behind(words: Sequence[str], at: int) -> bool | str | None:
    """False if the words behind an agent deny it, a doubt if they may; None if they do not."""
    behind = list(itertools.dropwhile(is_agent, words[at + 1 :]))
    denial, following = (*behind, "", "")[:2]
    if denial in vocab.DENIED_BEHIND:
        return False
    between = denial in vocab.DENIED_BETWEEN
    if between and (not following or following in vocab.PLANES):
        return False
    of_following = following in vocab.FAT_SUPPRESSION | vocab.UNENHANCED or is_agent(following)
    denies = between or (len(denial) > 1 and denial in vocab.WITHOUT - vocab.BETWEEN)
    if not following or of_following or not denies:
        return None
    return f"{denial!r} in the name may be of {words[at]!r} or of {following!r}"


def _joined_to_opposite(words: Sequence[str], place: int) -> bool:
    """Return True for ``without and with``, ``pre/post`` and their like in other languages."""
    if place < 1:
        return False
    earlier = [word for word in words[:place] if word not in vocab.BETWEEN | vocab.AND]
    states = _polarity(words[place]), _polarity(earlier[-1]) if earlier else None
    return None not in states and states[0] != states[1]


def _polarity(preposition: str) -> bool | None:
    """True for with or after, False for without or before; single letters may be anything."""
    if len(preposition) < 2:
        return None
    if preposition in vocab.WITH | vocab.AFTER:
        return True
    return False if preposition in vocab.WITHOUT | vocab.BEFORE else None


def _of_letter(words: Sequence[str], at: int, shared: Collection[str]) -> bool | str | None:
    """A lone ``c`` or ``ce``: contrast behind T1, initials at the beginning, else a doubt."""
    before = words[at - 1] if at else ""
    if before in vocab.WITHOUT | vocab.BEFORE:
        return False
    if before in vocab.WITH | vocab.AFTER:
        return True
    if words[at] in shared or _T1.isdisjoint(words):
        return None
    if not _T1.isdisjoint(words[:at]):
        known = all(is_known(word) for word in words[at + 1 :])
        close = words[at] == "ce" or before in _T1
        return True if known and close else LETTER
    return LETTER if words[at] == "ce" else None
