"""Recognition of the MR sequence in a name; the only analyser of such words.

File names, channel names, series descriptions, protocol names and the contrast agent are all read
here, by the words of ``vocabulary``. A negation binds to the next word: ``POST W/O FATSAT`` is
after contrast, ``pre-op T1 gad`` too. What can be read in two ways is a doubt, never a guess.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from gliomask.datasets import vocabulary as vocab
from gliomask.datasets.contrast_words import contrast_in
from gliomask.datasets.name_words import is_agent, is_known, parts_of_token, words_of_name
from gliomask.datasets.unknown_words import is_unknown, unknown_words

_BIDS = re.compile(r"sub-[A-Za-z0-9]+(_ses-[A-Za-z0-9]+)?(?=_)")
_NOISE = frozenset().union(
    *vocab.WEIGHTINGS.values(), vocab.CONTRAST, vocab.TECHNIQUES, vocab.UNENHANCED,
    ("t1", "t2", "pre", "post", "native", "dark"),
)  # fmt: skip
_NOISE_BEHIND = _NOISE | vocab.PROCESSING | (vocab.HARMLESS - vocab.VISITS)
"""Behind the first word; that may be a patient's name (``Long_T1``)."""
_INITIALS = frozenset(("ss", "to", "eq", "rai", "lia", "lai", "ras", "n3", "n4", "r2s"))
"""Of the words for processing, those that may be initials or names."""
_STATED = frozenset().union(*vocab.WEIGHTINGS.values(), vocab.CONTRAST, ("t1", "t2"))
_PATIENT = re.compile(r"p\d{1,4}")
"""At the beginning of a name a patient, ``p2_t1``; after a sequence acceleration, ``t1_p2``."""
_REGISTERED = ("r", "r2", "r3")
"""Behind the sequence, degrees of freedom of a registration (IvyGAP-Radiomics)."""
_DENYING = vocab.DENIED_BEHIND | vocab.DENIED_BETWEEN
_BINDING = vocab.WITHOUT | vocab.WITH | vocab.BEFORE | vocab.AFTER | {"c", "ce"}


@dataclass(frozen=True)
class NameReading:
    """Interpretation of a name.

    Attributes:
        weightings: of t1, t2 and flair, those that it names; a FLAIR may call itself T2, too.
        contrast: after a contrast agent (True), before or without one (False), not stated (None).
        other: content of the image, if that is none of our sequences.
        elsewhere: another part of the body than the head.
        head: the head is named.
        unknown: words without a known meaning, which may change that of the name.
        doubt: reason why the weighting is ambiguous, a phrase; None if it is not.
        contrast_doubt: reason why the contrast state is ambiguous, a phrase; None if it is not.
    """

    weightings: frozenset[str] = frozenset()
    contrast: bool | None = None
    other: str | None = None
    elsewhere: str | None = None
    head: bool = False
    unknown: tuple[str, ...] = ()
    doubt: str | None = None
    contrast_doubt: str | None = None

    @property
    def candidates(self) -> frozenset[str]:
        """The sequences that it can mean, by the names of ``core.volume.SEQUENCES``.

        None: it names another image, or no sequence.
        """
        if self.other or self.elsewhere:
            return frozenset()
        if "t1" not in self.weightings:
            return self.weightings
        both, certain = {"t1", "t1ce"}, {"t1ce"} if self.contrast else {"t1"}
        unclear = self.contrast_doubt or (self.unknown and self.contrast is None)
        return (self.weightings - {"t1"}) | (both if unclear else certain)

    @property
    def sequence(self) -> str | None:
        """The sequence that it names without a doubt, if it does."""
        clear = len(self.candidates) == 1 and not self.doubt
        return next(iter(self.candidates)) if clear else None

    @property
    def question(self) -> str | None:
        """Open question about a name, as a phrase; None if its meaning is clear."""
        if not self.candidates or self.sequence:
            return None
        meant = f"the name can mean {' or '.join(sorted(self.candidates))}"
        return self.doubt or (meant if len(self.weightings) > 1 else self.contrast_doubt or meant)


def read_name(name: str, shared: Collection[str] = (), *, identifier: bool = True) -> NameReading:
    """Reads a name.

    Args:
        name: of a file, a channel or a series, without suffix.
        shared: words, in lower case, that say nothing about one image, as images of different
            sequences share them (``shared_words``); a lone ``c`` or ``ce`` among them are initials.
        identifier: it may begin with a patient's identifier, as file names do.

    >>> read_name("Ax T1 POST W/O FATSAT").sequence, read_name("t2_tirm_tra_dark-fluid").sequence
    ('t1ce', 'flair')
    """
    words = words_of_name(name)
    weightings, doubt = _weightings(words)
    contrast, contrast_doubt = contrast_in(words, frozenset(shared))
    clear = len(weightings) < 2
    unknown = unknown_words(words, shared, identifier=identifier) if clear else ()
    if unknown and not doubt:
        doubt = f"the name contains {unknown[0]!r}, which is not understood"
    if any(not word.isascii() or "?" in word for word in unknown):
        contrast_doubt = contrast_doubt or doubt
    return NameReading(
        weightings=weightings,
        contrast=contrast,
        other=_other(words, weightings),
        elsewhere=_elsewhere(words),
        head=not vocab.HEAD.isdisjoint(words),
        unknown=unknown,
        doubt=doubt,
        contrast_doubt=contrast_doubt,
    )


def called(name: str) -> str | None:
    """The sequence that is called so, where each word of the name belongs to that.

    >>> called("T1 post contrast"), called("t1_volume")
    ('t1ce', None)
    """
    known = all(is_known(word) for word in words_of_name(name))
    return read_name(name).sequence if known else None


Agent = Literal["given", "denied", "silent", "unclear"]


def read_agent(text: str) -> Agent:
    """Return True if the text of a header states a contrast agent.

    >>> read_agent("12ML MULTIHANCE"), read_agent("NO CONTRAST"), read_agent("see notes")
    ('given', 'denied', 'unclear')
    """
    words = words_of_name(text)
    if set(words) <= vocab.NO_ANSWER:
        return "silent"
    agent, doubt = contrast_in(words, frozenset())
    if agent is not None:
        return "given" if agent else "denied"
    if doubt:
        return "unclear"
    if not vocab.DENIALS.isdisjoint(words):
        return "denied"
    amounts = [float(n) for n in re.findall(r"(\d+(?:\.\d+)?)\s*(?:ml|cc|mmol)\b", text.lower())]
    if any(amounts) or not vocab.AFFIRMATIONS.isdisjoint(words):
        return "given"
    return "denied" if amounts else "unclear"


def _weightings(words: list[str]) -> tuple[frozenset[str], str | None]:
    """The weightings that words name, and why they may mean something else."""
    weightings: set[str] = {"t1", "t2"} & set(words)
    weightings |= {kind for kind, names in vocab.WEIGHTINGS.items() if not names.isdisjoint(words)}
    doubt = None
    if "tirm" in words and "flair" not in weightings:
        weightings.add("flair")
        doubt = None if "dark" in words else "a TIRM can be a FLAIR or a STIR"
    if "t2" in weightings and not vocab.OTHER["proton density"].isdisjoint(words):
        doubt = "the name says proton density and T2"
    if "flair" in weightings:
        weightings.discard("t2")  # FLAIR is T2-weighted, and many names say so
    return frozenset(weightings), doubt


def _other(words: list[str], weightings: frozenset[str]) -> str | None:
    """Kind of image in the words of a name, other than the four sequences."""
    for what, names in vocab.OTHER.items():
        dual_echo = what == "proton density" and "t2" in weightings
        if not names.isdisjoint(words) and not dual_echo:
            return what
    if "t2" in weightings and not vocab.GRADIENT_ECHOES.isdisjoint(words):
        return "susceptibility"
    if not {"dixon", "mdixon"}.isdisjoint(words) and words[-1] in ("f", "in", "ip", "op"):
        return "a fat, water or phase image"
    return None


def _elsewhere(words: list[str]) -> str | None:
    if not vocab.HEAD.isdisjoint(words):
        return None
    parts = vocab.ELSEWHERE.items()
    return next((part for part, names in parts if not names.isdisjoint(words)), None)


def shared_words(names: Collection[str]) -> frozenset[str]:
    """The words in the names of some images that say nothing about one of them.

    These are the unknown words in the names of images of several weightings, and all words in all
    names; none if all have one weighting.
    """
    weightings = {name: read_name(name).weightings for name in names}
    if len(set(weightings.values())) < 2:
        return frozenset()
    words = {name: frozenset(words_of_name(name)) for name in names}
    with_word: dict[str, set[frozenset[str]]] = {}
    for name, kinds in weightings.items():
        for word in filter(is_unknown, words[name]):
            with_word.setdefault(word, set()).add(kinds)
    several = {word for word, kinds in with_word.items() if len(kinds - {frozenset()}) > 1}
    return frozenset.intersection(*words.values()) | several


def without_sequence(name: str) -> str:
    """A name without the words for the sequence and the processing.

    Files of one examination have this in common; of a BIDS name it is subject and session.

    >>> without_sequence("Sub-01_T1w_brain"), without_sequence("flair")
    ('Sub-01', '')
    >>> without_sequence("p2_t1"), without_sequence("t1_p2")
    ('p2', '')
    >>> without_sequence("p2_T1_KM_nein_tra")
    'p2'
    """
    if match := _BIDS.match(name):
        return match[0].replace("_", "-")
    tokens = [token for token in re.split(r"[\W_]+", unicodedata.normalize("NFC", name)) if token]
    lower = [token.lower() for token in tokens]
    kept = [
        token
        for at, token in enumerate(tokens)
        if ((at == 0 and _PATIENT.fullmatch(token.lower())) or not _is_noise(lower[at], at))
        and not (lower[at] in _REGISTERED and any(map(says_only_sequence, lower[:at])))
        and not (lower[at] in _BINDING and _names_agent(lower[at + 1 : at + 2]))
        and not (lower[at] in _DENYING and _names_agent(lower[max(at - 1, 0) : at]))
        and not (lower[at] in ("c", "ce") and at and parts_of_token(lower[at - 1])[0] == "t1")
    ]
    return "-".join(kept)


def processing_of(name: str) -> tuple[str, ...]:
    """The words in a name for what was done to the image after its reconstruction, in order.

    >>> processing_of("P1_T1_to_SRI_brain"), processing_of("P1_t1_mprage_sag")
    (('to', 'sri', 'brain'), ())
    """
    tokens = re.split(r"[\W_]+", unicodedata.normalize("NFC", name).lower())
    parts = [part for token in tokens for part in parts_of_token(token)]
    return tuple(part for part in parts if part in vocab.PROCESSING)


def says_only_sequence(word: str) -> bool:
    """Return True if a word of a name only states a sequence, an agent or a processing step.

    >>> says_only_sequence("T1ce"), says_only_sequence("stripped"), says_only_sequence("P1")
    (True, True, False)
    """
    parts = parts_of_token(word.lower())
    return all(part in _STATED or (part in vocab.PROCESSING - _INITIALS) for part in parts)


def _names_agent(tokens: list[str]) -> bool:
    return any(is_agent(part) for token in tokens for part in parts_of_token(token))


def _is_noise(token: str, place: int) -> bool:
    noise = _NOISE_BEHIND if place else _NOISE
    return bool(token) and all(part in noise for part in parts_of_token(token))
