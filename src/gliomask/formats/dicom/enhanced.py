"""The frames of an Enhanced MR Image: one file, a header for each frame in functional groups.

A functional group stands for all frames (shared) or for each (per frame); the latter wins.
Standard: DICOM PS3.3, C.7.6.16 and C.8.13.5.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from pydicom import Dataset

from gliomask.errors import FormatError
from gliomask.formats.dicom.frame import Frame, FrameKind, PlacementTags, frame
from gliomask.formats.dicom.pixel_format import PixelFormat
from gliomask.formats.dicom.tags import SeriesTags, capitals
from gliomask.formats.dicom.values import items, number, text

KEYWORDS = (
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
    "EchoPulseSequence",
    "EchoPlanarPulseSequence",
    "ContrastBolusAgentSequence",
)
"""The elements that only such files have."""

_PULSES = {"SPIN": ("SE",), "GRADIENT": ("GR",), "BOTH": ("SE", "GR")}


@dataclass(frozen=True)
class _Groups:
    """The functional groups of one frame."""

    of_frame: Dataset
    shared: Dataset

    def get(self, keyword: str) -> Dataset:
        """One group; empty if neither the frame nor the file has it."""
        return (items(self.of_frame, keyword) or items(self.shared, keyword) or [Dataset()])[0]


def enhanced_frames(path: Path, dataset: Dataset, pixels: PixelFormat) -> tuple[Frame, ...]:
    """All frames of a file, in its order.

    Raises:
        FormatError: a frame without header, or one whose place is missing or can't be true.
    """
    frames = []
    for n, groups in enumerate(_groups(dataset, pixels.frames)):
        try:
            frames.append(_frame(path, n, groups, pixels, dataset))
        except FormatError as problem:
            problem.what = f"frame {n + 1}: {problem.what}"
            raise
    return tuple(frames)


def enhanced_tags(tags: SeriesTags, dataset: Dataset) -> SeriesTags:
    """The tags of a file, with what stands in the functional groups of its first frame."""
    first = _Groups(*((items(dataset, k) or [Dataset()])[0] for k in KEYWORDS[1::-1]))
    modifier = first.get("MRModifierSequence")
    agents = items(dataset, "ContrastBolusAgentSequence")
    timing = first.get("MRTimingAndRelatedParametersSequence")
    regions = items(first.get("FrameAnatomySequence"), "AnatomicRegionSequence")
    diffusion = number(first.get("MRDiffusionSequence"), "DiffusionBValue")
    return replace(
        tags,
        b_value=tags.b_value if diffusion is None else diffusion,
        scanning_sequence=_scanning_sequence(dataset, modifier),
        echo_time=number(first.get("MREchoSequence"), "EffectiveEchoTime"),
        repetition_time=number(timing, "RepetitionTime"),
        inversion_time=number(modifier, "InversionTimes"),
        slice_thickness=number(first.get("PixelMeasuresSequence"), "SliceThickness"),
        contrast_agent=text(agents[0], "CodeMeaning") if agents else tags.contrast_agent,
        body_part=tags.body_part or (text(regions[0], "CodeMeaning") if regions else ""),
    )


def _groups(dataset: Dataset, count: int) -> list[_Groups]:
    each = items(dataset, "PerFrameFunctionalGroupsSequence")
    if len(each) != count:
        raise FormatError(
            "not a header for each frame",
            field="PerFrameFunctionalGroupsSequence",
            found=len(each),
            allowed=f"{count} items",
        )
    shared = (items(dataset, "SharedFunctionalGroupsSequence") or [Dataset()])[0]
    return [_Groups(item, shared) for item in each]


def _frame(path: Path, n: int, groups: _Groups, pixels: PixelFormat, whole: Dataset) -> Frame:
    """``whole``: the file, whose own scaling stands for frames that have none."""
    transformation = groups.get("PixelValueTransformationSequence")
    place = PlacementTags(
        position=groups.get("PlanePositionSequence"),
        orientation=groups.get("PlaneOrientationSequence"),
        measures=groups.get("PixelMeasuresSequence"),
        transformation=transformation or whole,
    )
    kind = groups.get("MRImageFrameTypeSequence")
    return frame(
        path,
        pixels,
        place,
        FrameKind(
            number=n,
            image_type=(*capitals(kind, "FrameType"), *capitals(kind, "ComplexImageComponent")),
            echo_time=number(groups.get("MREchoSequence"), "EffectiveEchoTime"),
            stack=text(groups.get("FrameContentSequence"), "StackID"),
        ),
    )


def _scanning_sequence(dataset: Dataset, modifier: Dataset) -> tuple[str, ...]:
    """Scanning sequence in the terms of a classic header: SE, GR, IR, EP."""
    return (
        *_PULSES.get(text(dataset, "EchoPulseSequence").upper(), ()),
        *(("IR",) if text(modifier, "InversionRecovery").upper() == "YES" else ()),
        *(("EP",) if text(dataset, "EchoPlanarPulseSequence").upper() == "YES" else ()),
    )
