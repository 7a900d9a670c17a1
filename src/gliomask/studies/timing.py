"""Recognition of a sequence from the timing of a series: TR, TE, TI and scanning sequence.

Thresholds: a spin echo with TR < 1000 ms is T1-weighted, with TR >= 1500 ms and TE >= 50 ms
T2-weighted, and with a short TE proton density; an inversion time of 1.4 to 3 s, which nulls
cerebrospinal fluid, with a long TE is a FLAIR; a prepared 3-D gradient echo is an MPRAGE. Scanner
settings are usually far from these thresholds.
"""

from __future__ import annotations

from dataclasses import dataclass

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
MPRAGE_TI = (500.0, 1400.0)
"""Milliseconds: inversion times of a prepared T1-weighted gradient echo."""


@dataclass(frozen=True)
class SequenceTiming:
    """Sequence according to the timing.

    Attributes:
        weighting: t1, t2, flair, ``other`` for none of them, or None if inconclusive.
        words: description; empty if the header has no timing.
        alone: whether it is conclusive without a name.
        inverted: an inversion time is recorded.
    """

    weighting: str | None
    words: str
    alone: bool = False
    inverted: bool = False


def timing_of(tags: SeriesTags) -> SequenceTiming:
    """Sequence of a series according to its timing."""
    te, tr = tags.echo_time, tags.repetition_time
    ti = tags.inversion_time if (tags.inversion_time or 0) > 50 else None
    pulse = set(tags.scanning_sequence)
    if "EP" in pulse:
        return SequenceTiming("other", "echo planar")
    if te is None or tr is None:
        return SequenceTiming(None, "")
    words = f"TR {tr:g}, TE {te:g}" + (f", TI {ti:g} ms" if ti else " ms")
    if "GR" in pulse and "SE" not in pulse:
        return _gradient(tags, te, ti, words)
    return _spin(te, tr, ti, words)


def _gradient(tags: SeriesTags, te: float, ti: float | None, words: str) -> SequenceTiming:
    inverted = ti is not None
    if te > GRADIENT_TE:
        return SequenceTiming("other", f"a gradient echo with T2* ({words})", inverted=inverted)
    prepared = "MP" in tags.sequence_variant or "IR" in tags.scanning_sequence
    mprage = prepared and tags.acquisition == "3D" and _within(ti, MPRAGE_TI)
    kind = "prepared 3-D gradient echo" if mprage else "gradient echo"
    return SequenceTiming("t1", f"{kind}, {words}", alone=mprage, inverted=inverted)


def _spin(te: float, tr: float, ti: float | None, words: str) -> SequenceTiming:
    if _within(ti, STIR_TI):
        return SequenceTiming("other", f"an inversion that nulls fat ({words})", inverted=True)
    if _within(ti, FLAIR_TI):
        weighting = "flair" if te >= FLAIR_TE else None
        return SequenceTiming(weighting, words, alone=True, inverted=True)
    inverted = ti is not None
    if te <= SHORT_TE:
        if tr < T1_TR:
            return SequenceTiming("t1", words, alone=True, inverted=inverted)
        if inverted:
            return SequenceTiming("t1", words, inverted=True)
        return (
            SequenceTiming("other", f"proton density ({words})")
            if tr >= T2_TR
            else SequenceTiming(None, words)
        )
    if te >= LONG_TE and tr >= T2_TR and not inverted:
        return SequenceTiming("t2", words, alone=True)
    return SequenceTiming(None, words, inverted=inverted)


def _within(ti: float | None, limits: tuple[float, float]) -> bool:
    return ti is not None and limits[0] <= ti <= limits[1]
