"""Which MR sequence a DICOM series is, with the evidence, or why that can't be said.

Its name and its timing are asked. Where they contradict each other, or neither tells, the series
is left to the user: a network that is shown the wrong sequence answers all the same.

Thresholds: a spin echo with TR < 1000 ms is T1-weighted, with TR >= 1500 ms and TE >= 50 ms
T2-weighted, and with a short TE proton density; an inversion of 1.4 to 3 s that nulls the liquor
before a long TE makes a FLAIR. They are far apart from what scanners are set to.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from gliomask.datasets.dicom_words import after_contrast, unusable, weightings, words
from gliomask.formats.dicom.tags import SeriesTags

SHORT_TE, LONG_TE = 40.0, 50.0
"""Milliseconds: the longest echo time of a T1, and the shortest one of a T2."""
GRADIENT_TE = 12.0
"""Milliseconds, the longest echo time of a T1-weighted gradient echo; beyond it is T2*."""
T1_TR, T2_TR = 1000.0, 1500.0
"""Milliseconds: a spin echo below the first is T1-weighted, from the second on it is not."""
FLAIR_TI, FLAIR_TE = (1400.0, 3000.0), 70.0
"""Milliseconds: the inversion times of a FLAIR, and its least echo time."""
STIR_TI = (80.0, 300.0)
"""Milliseconds: inversion times that null fat."""

BY_NAME = "the name says after contrast"
"""The evidence of a T1 whose name places it after the contrast agent."""
_NAMES = MappingProxyType({"t1": "T1", "t1ce": "T1 after contrast", "t2": "T2", "flair": "FLAIR"})
_NO_AGENT = ("", "no", "none", "n", "nil", "0", "-", "without", "unknown")
_NO_IMAGE = {"LOCALIZER", "ADC", "DIFFUSION", "TRACEW", "FA", "PERFUSION", "MPR", "MIP", "MINIP",
             "SUBTRACTION", "P", "PHASE", "R", "REAL", "I", "IMAGINARY", "B0", "FIELD_MAP",
             "VELOCITY", "MIXED", "PHASE MAP", "PROJECTION IMAGE", "SCREEN SAVE", "T1 MAP",
             "T2 MAP", "FAT", "F", "OPP_PHASE", "OUT_PHASE"}  # fmt: skip


@dataclass(frozen=True)
class Recognition:
    """What a series is.

    Attributes:
        sequence: a name of ``core.volume.SEQUENCES``, or None.
        evidence: what was gone by, phrases for people.
        rejected: why there is no sequence; None if there is one.
        asks: it may be one of the sequences, and a person has to say.
    """

    sequence: str | None
    evidence: tuple[str, ...]
    rejected: str | None = None
    asks: bool = False


@dataclass(frozen=True)
class _Timing:
    """What the timing says: a weighting or ``other``, in words; whether it tells all alone."""

    weighting: str | None
    told: str
    alone: bool = False


def recognise(tags: SeriesTags) -> Recognition:
    """The sequence of a series from its tags. Never raises."""
    named = words(tags.description or tags.protocol)
    if not weightings(named) and not unusable(named):
        named = [*named, *(word for word in words(tags.protocol) if weightings([word]))]
    timing = _timing(tags)
    told = (timing.told,) if timing.told else ()
    if reason := _excluded(tags, named):
        return Recognition(None, told, reason)
    if timing.weighting == "other":
        return Recognition(None, told, f"by its timing {timing.told}")
    by_name = weightings(named)
    if by_name:
        said = " or ".join(_NAMES[kind] for kind in sorted(by_name))
        told = (f"the name says {said}", *told)
    weighting, doubt = _weighting(by_name, timing)
    if weighting is None:
        return Recognition(None, told, doubt, asks=True)
    return _with_contrast(weighting, tags, named, told)


def agent(tags: SeriesTags) -> str:
    """The contrast agent, empty if none was given."""
    return "" if tags.contrast_agent.lower() in _NO_AGENT else tags.contrast_agent


def _excluded(tags: SeriesTags, named: list[str]) -> str | None:
    """Why a series can't be one of the sequences, whatever its timing; None if it can."""
    kind = tags.image_type
    if kind[:1] == ("DERIVED",) or _NO_IMAGE.intersection(kind[2:]):
        text = "\\".join(kind)
        return f"no original image (ImageType={text})"
    if not kind and "mpr" in named:
        return "by its name made from other series (mpr)"
    what = unusable(named)
    return f"by its name {what}" if what else None


def _weighting(by_name: set[str], timing: _Timing) -> tuple[str | None, str | None]:
    """The weighting that name and timing agree on, or why there is none."""
    measured = timing.weighting
    if measured is None or (not by_name and not timing.alone):
        if len(by_name) == 1:
            return by_name.pop(), None
        return None, "neither its name nor its timing tells the sequence"
    if not by_name or measured in by_name:
        return measured, None
    if by_name == {"flair"} and measured == "t2" and "TI" not in timing.told:
        return "flair", None
    said = " or ".join(_NAMES[kind] for kind in sorted(by_name))
    return None, f"the name says {said}, but the timing {_NAMES[measured]}"


def _with_contrast(
    weighting: str, tags: SeriesTags, named: list[str], told: tuple[str, ...]
) -> Recognition:
    """T1 before or after a contrast agent; on T2 and FLAIR it makes no other sequence."""
    given, by_name = agent(tags), after_contrast(named)
    if weighting != "t1":
        return Recognition(weighting, told)
    if by_name is False and given:
        doubt = f"the name says before contrast, but an agent is told ({given})"
        return Recognition(None, told, doubt, asks=True)
    if by_name:
        return Recognition("t1ce", (*told, BY_NAME))
    if given:
        return Recognition("t1ce", (*told, f"contrast agent {given}"))
    before = "the name says before contrast" if by_name is False else "no contrast agent is told"
    return Recognition("t1", (*told, before))


def _timing(tags: SeriesTags) -> _Timing:
    te, tr = tags.echo_time, tags.repetition_time
    ti = tags.inversion_time if (tags.inversion_time or 0) > 50 else None
    pulse = set(tags.scanning_sequence)
    if "EP" in pulse:
        return _Timing("other", "echo planar")
    if te is None or tr is None:
        return _Timing(None, "")
    told = f"TR {tr:g}, TE {te:g}" + (f", TI {ti:g} ms" if ti else " ms")
    if "GR" in pulse:
        return _gradient(te, told)
    return _spin(te, tr, ti, told)


def _gradient(te: float, told: str) -> _Timing:
    if te > GRADIENT_TE:
        return _Timing("other", f"a gradient echo with T2* ({told})")
    return _Timing("t1", f"gradient echo, {told}")


def _spin(te: float, tr: float, ti: float | None, told: str) -> _Timing:
    if ti is not None and STIR_TI[0] <= ti <= STIR_TI[1]:
        return _Timing("other", f"an inversion that nulls fat ({told})")
    if ti is not None and FLAIR_TI[0] <= ti <= FLAIR_TI[1]:
        return _Timing("flair" if te >= FLAIR_TE else None, told, alone=True)
    if te <= SHORT_TE:
        if tr < T1_TR:
            return _Timing("t1", told, alone=True)
        if ti is not None:
            return _Timing("t1", told)
        return _Timing("other", f"proton density ({told})") if tr >= T2_TR else _Timing(None, told)
    if te >= LONG_TE and tr >= T2_TR and ti is None:
        return _Timing("t2", told, alone=True)
    return _Timing(None, told)
