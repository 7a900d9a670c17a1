"""Words of a name without a known meaning, which may therefore change its meaning.

The words by which people call subtractions, maps and pre- or post-contrast images can't all be
listed. The words that change nothing can (``vocabulary``), so whatever else stands in a name is a
doubt. Identifiers are not words: they contain digits, stand before the sequence in the name of a
file, or are shared by images of several sequences.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from gliomask.datasets import vocabulary as vocab
from gliomask.datasets.name_words import AGENT_LABEL, PERHAPS, UNCLEAR_LABEL, UNSURE, is_known

_PLAIN = vocab.HARMLESS.union(
    vocab.AND,
    vocab.TIMES,
    vocab.GRADIENT_ECHOES,
    vocab.DENIED_BEHIND,
    {PERHAPS, UNSURE, AGENT_LABEL, UNCLEAR_LABEL, "sub", "ce"},
)
_HIDDEN = re.compile(r"[a-z0-9]*(?:t[12][a-z]{2,}|[a-z]{2,}t[12]|flair)[a-z0-9]*")
"""A word that can't be taken apart, but has a sequence in it."""
_WEIGHTINGS = frozenset({"t1", "t2"}).union(*vocab.WEIGHTINGS.values())


def is_unknown(word: str) -> bool:
    """Return True for a word of letters that is in no list; single Latin letters are initials.

    >>> is_unknown("foo"), is_unknown("mprage"), is_unknown("p01"), is_unknown("x")
    (True, False, False, False)
    """
    if word and not word.strip("?\ufffd"):
        return True
    if not word.isalpha() or (len(word) == 1 and word.isascii()):
        return False
    if word.startswith(vocab.AGENT_STARTS):
        return False
    return not is_known(word) and word not in _PLAIN


def unknown_words(
    words: Sequence[str], shared: Collection[str] = (), *, identifier: bool = True
) -> tuple[str, ...]:
    """The unknown words of a name that states a sequence, in their order.

    In a name without one these are words that hide it, as in ``subt1``.

    Args:
        words: of the name, see ``name_words``.
        shared: words that are in the names of images of other sequences, too.
        identifier: what stands before the sequence identifies the examination, as in file names;
            it says nothing else, but for the words of ``vocabulary.NO_IDENTIFIER``.

    >>> unknown_words(["smith", "t1", "foo"]), unknown_words(["foo", "t1"], identifier=False)
    (('foo',), ('foo',))
    """
    places = [at for at, word in enumerate(words) if word in _WEIGHTINGS]
    if not places:
        return () if identifier else tuple(word for word in words if _HIDDEN.fullmatch(word))
    if not identifier:
        return _unknown(words, vocab.INDICATIONS.union(shared))
    before = [word for word in words[: places[0]] if word in vocab.NO_IDENTIFIER]
    return *(word for word in before if word not in shared), *_unknown(words[places[0] :], shared)


def _unknown(words: Sequence[str], shared: Collection[str]) -> tuple[str, ...]:
    return tuple(word for word in words if word not in shared and is_unknown(word))
