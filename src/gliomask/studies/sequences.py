"""Recognition of the MR sequence of a DICOM series, with the evidence or the reason of failure.

Its name (``name_reading``) and its timing (``timing``) have the same weight. If they contradict
each other, or neither is conclusive, the user must decide, because a network returns a mask for a
wrong sequence, too.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from types import MappingProxyType

from gliomask.core.sequence_titles import SEQUENCE_TITLES
from gliomask.core.volume import SEQUENCES
from gliomask.datasets.contrast_words import LETTER
from gliomask.datasets.name_reading import NameReading, read_agent, read_name
from gliomask.datasets.name_words import words_of_name
from gliomask.formats.dicom.tags import SeriesTags
from gliomask.studies.timing import SequenceTiming, timing_of

BY_NAME = "the name says after contrast"
"""Evidence of a T1 with a post-contrast name."""
_NO_IMAGE = {"LOCALIZER", "ADC", "DIFFUSION", "TRACEW", "FA", "PERFUSION", "MPR", "MIP", "MINIP",
             "SUBTRACTION", "P", "PHASE", "R", "REAL", "I", "IMAGINARY", "B0", "FIELD_MAP",
             "VELOCITY", "MIXED", "PHASE MAP", "PROJECTION IMAGE", "SCREEN SAVE", "T1 MAP",
             "T2 MAP", "FAT", "F", "OPP_PHASE", "OUT_PHASE"}  # fmt: skip
_KINDS = MappingProxyType(
    {
        **dict.fromkeys(("MPR", "PROJECTION IMAGE", "MIP", "MINIP"), "a reformat or projection"),
        **dict.fromkeys(("ADC", "DIFFUSION", "TRACEW", "FA", "B0"), "a diffusion image or map"),
        **dict.fromkeys(("P", "PHASE", "PHASE MAP", "VELOCITY"), "a phase image"),
        "LOCALIZER": "a localizer",
        "PERFUSION": "a perfusion map",
        "SUBTRACTION": "a subtraction",
    }
)
"""Display texts of some image types."""


@dataclass(frozen=True)
class Recognition:
    """Recognised kind of a series.

    Attributes:
        sequence: a name of ``core.volume.SEQUENCES``, or None.
        evidence: phrases on the evidence.
        rejected: reason why there is no sequence; None if there is one.
        candidates: the sequences that it may be, if the user has to state it.
        strength: number of name and timing that indicate the sequence: 0 to 2.
        head: name or header state that it shows the head.
        contrast: after a contrast agent (True) or before (False), if name or header state it.
        unknown: words of the name without a known meaning; the sequence is known by timing alone.
    """

    sequence: str | None
    evidence: tuple[str, ...]
    rejected: str | None = None
    candidates: frozenset[str] = frozenset()
    strength: int = 0
    head: bool = False
    contrast: bool | None = None
    unknown: tuple[str, ...] = ()

    @property
    def ambiguous(self) -> bool:
        """True if the series may be one of the sequences, but the user has to confirm it."""
        return bool(self.candidates)


def recognise(tags: SeriesTags) -> Recognition:
    """The sequence of a series from its tags. Never raises."""
    reading, timing = _reading(tags), timing_of(tags)
    measured = (timing.words,) if timing.words else ()
    if reason := _excluded(tags, reading):
        perhaps = _sequences(reading.weightings) if _only_derived(tags, reading) else frozenset()
        return Recognition(None, measured, reason, perhaps)
    if timing.weighting == "other":
        return Recognition(None, measured, f"by its timing {timing.words}")
    evidence = measured
    if reading.weightings:
        evidence = (f"the name says {_weightings_named(reading)}", *measured)
    if reading.elsewhere:
        return Recognition(None, evidence, f"by its name it shows {reading.elsewhere}")
    weighting, doubt = _weighting(reading, timing)
    doubt = _elsewhere(tags, reading) or doubt
    if weighting is None or doubt:
        measured_as = {timing.weighting} if timing.weighting else set()
        return Recognition(None, evidence, doubt, _sequences(reading.weightings | measured_as))
    recognition = _with_contrast(weighting, tags, reading, evidence)
    named = weighting in reading.weightings and not reading.unknown
    return replace(
        recognition,
        strength=named + (weighting == timing.weighting),
        head=reading.head or _part(tags).head,
        unknown=reading.unknown,
    )


def agent(tags: SeriesTags) -> str:
    """The contrast agent, empty if none was given."""
    return tags.contrast_agent if read_agent(tags.contrast_agent) == "given" else ""


def _reading(tags: SeriesTags) -> NameReading:
    """The name of a series: its description, and the protocol where that alone names an image."""
    described, protocol = (
        read_name(text, identifier=False) for text in (tags.description, tags.protocol)
    )
    if described.weightings or described.other or not (protocol.weightings or protocol.other):
        return described if tags.description else protocol
    if described.contrast is None and not described.contrast_doubt:
        return protocol
    return replace(protocol, contrast=described.contrast, contrast_doubt=described.contrast_doubt)


def _part(tags: SeriesTags) -> NameReading:
    """Body part in the header."""
    return read_name(tags.body_part)


def _elsewhere(tags: SeriesTags, reading: NameReading) -> str | None:
    """Evidence for a body part other than the head, from the header or else from the protocol."""
    if reading.head:
        return None
    part = _part(tags)
    if part.elsewhere:
        return f"by its header it shows {part.elsewhere} (BodyPartExamined={tags.body_part})"
    protocol = read_name(tags.protocol)
    if protocol.elsewhere and not part.head:
        return f"by its protocol it shows {protocol.elsewhere} (ProtocolName={tags.protocol})"
    return None


def _excluded(tags: SeriesTags, reading: NameReading) -> str | None:
    """Reason to exclude a series regardless of its timing; None if there is none."""
    kind = tags.image_type
    if kind[:1] == ("DERIVED",) or _NO_IMAGE.intersection(kind[2:]):
        text = "\\".join(kind)
        what = next((f" but {_KINDS[word]}" for word in kind[2:] if word in _KINDS), "")
        return f"not an original image{what} (ImageType={text})"
    if tags.b_value:
        return f"by its header diffusion (b={tags.b_value:g})"
    if not kind and "mpr" in words_of_name(tags.description or tags.protocol):
        return "by its name made from other series (mpr)"
    return f"by its name {reading.other}" if reading.other else None


def _only_derived(tags: SeriesTags, reading: NameReading) -> bool:
    """Return True if DERIVED is the only objection to a series, as for defaced ones."""
    derived = tags.image_type[:1] == ("DERIVED",)
    plain = derived and not _NO_IMAGE.intersection(tags.image_type[2:])
    named = bool(reading.weightings) and not (reading.other or reading.elsewhere)
    return plain and named and not tags.b_value


def _weighting(reading: NameReading, timing: SequenceTiming) -> tuple[str | None, str | None]:
    """The weighting that name and timing agree on, or why there is none."""
    named, measured = reading.weightings, timing.weighting
    if measured is None or (not named and not timing.alone):
        if len(named) == 1 and not reading.doubt:
            return next(iter(named)), None
        return None, reading.doubt or "neither its name nor its timing determines the sequence"
    if not named and reading.unknown:
        return None, reading.doubt
    if {"t1", "t2"} <= named:
        return None, f"the name says {_weightings_named(reading)}"
    if not named or measured in named:
        return measured, None
    if named == {"flair"} and measured == "t2" and not reading.doubt and not timing.inverted:
        return "flair", None
    return (
        None,
        f"the name says {_weightings_named(reading)}, but the timing {SEQUENCE_TITLES[measured]}",
    )


def _sequences(weightings: Collection[str]) -> frozenset[str]:
    """The sequences of some weightings; of none, all."""
    sequences = set(weightings) | ({"t1ce"} if "t1" in weightings else set())
    return frozenset(sequences or SEQUENCES)


def _weightings_named(reading: NameReading) -> str:
    return " or ".join(SEQUENCE_TITLES[kind] for kind in sorted(reading.weightings))


def _with_contrast(
    weighting: str, tags: SeriesTags, reading: NameReading, evidence: tuple[str, ...]
) -> Recognition:
    """T1 before or after a contrast agent; on T2 and FLAIR it makes no other sequence."""
    if weighting != "t1":
        return Recognition(weighting, evidence, contrast=reading.contrast)
    agent_given, named, text = (
        read_agent(tags.contrast_agent),
        reading.contrast,
        tags.contrast_agent,
    )
    if doubt := _contrast_doubt(tags, reading):
        return Recognition(None, evidence, doubt, _sequences({"t1"}))
    if named:
        return Recognition("t1ce", (*evidence, BY_NAME), contrast=True)
    if agent_given == "given":
        return Recognition("t1ce", (*evidence, f"contrast agent {text}"), contrast=True)
    if named is False:
        return Recognition("t1", (*evidence, "the name says before contrast"), contrast=False)
    if agent_given == "denied":
        text_of_header = f"the header says no contrast agent ({text})"
        return Recognition("t1", (*evidence, text_of_header), contrast=False)
    return Recognition("t1", (*evidence, "no contrast agent is recorded"))


def _contrast_doubt(tags: SeriesTags, reading: NameReading) -> str | None:
    """Contradiction between name and header, as a phrase."""
    agent_given, text = read_agent(tags.contrast_agent), tags.contrast_agent
    settled = reading.contrast_doubt == LETTER and agent_given in ("given", "denied")
    if reading.contrast_doubt and not settled:
        return reading.contrast_doubt
    if reading.contrast is False and agent_given == "given":
        return f"the name says before contrast, but an agent is recorded ({text})"
    if reading.contrast and agent_given == "denied":
        return f"the name says after contrast, but the header that there was no agent ({text})"
    if reading.contrast is None and agent_given == "unclear":
        return f"it is unclear whether a contrast agent was given (ContrastBolusAgent={text})"
    return None
