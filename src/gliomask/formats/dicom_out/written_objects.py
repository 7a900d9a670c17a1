"""Common attributes of all written DICOM objects: device, time and UIDs.

UIDs have the root that pydicom provides for this use. Unless new ones are requested, they are a
hash of everything that determines the content, so a result that is computed and sent again is the
same object for an archive.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from pydicom.uid import UID, generate_uid

from gliomask.core.prediction import RESEARCH_USE_ONLY
from gliomask.formats.dicom_out.referenced_series import ReferencedSeries
from gliomask.formats.dicom_out.segments import DrawnSegments, Maker, MaskArray

NAME = "gliomask"
CHARACTER_SET = "ISO_IR 192"
"""UTF-8, so that names of any encoding are preserved."""
_LONG = 64
_NO_PARTS = str.maketrans("^=", "__")
"""These part the components of a name."""


@dataclass(frozen=True)
class WrittenObject:
    """A DICOM object after writing.

    Attributes:
        sop_class: its kind.
        sop_instance: its UID.
        series: the UID of the series that it is alone in.
    """

    sop_class: str
    sop_instance: str
    series: str


def uid_maker(
    kind: str, masks: MaskArray, drawn: DrawnSegments, series: ReferencedSeries, made: Maker
) -> Callable[[str], UID]:
    """A function from a role (``instance``, ``series`` ...) to its UID.

    Args:
        kind: of the object, so that two kinds of one result differ.
        masks: (P, rows, columns, R) in the order of the series' planes.
        drawn: segments that they are named after.
        series: series of the masks.
        made: software that made them.
    """
    if made.fresh_uids:
        return lambda role: generate_uid()
    content = np.packbits(masks).tobytes().hex()
    images = [(plane.sop_instance, plane.frame) for plane in series.planes]
    maker: tuple[object, ...] = (made.model, made.version, made.weights)
    if made.correction is not None:
        maker = (*maker, made.correction)
    segments = [(segment.label, segment.code, segment.rgb) for segment in drawn.segments]
    known = repr((kind, images, masks.shape, segments, maker))
    return lambda role: generate_uid(entropy_srcs=[role, known, content])


def created(maker: Maker, series: ReferencedSeries) -> datetime:
    """Creation time of the object, in the time zone of the study."""
    when = maker.created or datetime.now().astimezone()
    offset = series.common.get("TimezoneOffsetFromUTC")
    return when.astimezone(datetime.strptime(offset, "%z").tzinfo) if offset else when


def plain(text: str, limit: int = _LONG) -> str:
    """Text as an attribute of one value may contain it: no backslash, nothing unprintable.

    It is cut to ``limit`` bytes of UTF-8, because some readers count bytes where the standard
    counts letters.
    """
    legible = "".join(c if c.isprintable() and c != "\\" else "_" for c in text)
    return legible.encode()[:limit].decode(errors="ignore").strip()


def description(maker: Maker) -> str:
    """Description of the content, up to 64 characters."""
    verb = "Made" if maker.correction is None else "Corrected, made"
    return plain(f"{RESEARCH_USE_ONLY}. {verb} by {maker.model}")


def series_description(made: Maker) -> str:
    """Description of the series, up to 64 characters."""
    what = "segmentation" if made.correction is None else "corrected"
    return f"{NAME} tumour {what}. {RESEARCH_USE_ONLY}"


def creator_name(made: Maker) -> str:
    """Name of who is responsible for the content, as a person's name (PN) of one component."""
    author = NAME if made.correction is None else made.correction.author
    return f"{plain(author.translate(_NO_PARTS))}^"


def serial_number(maker: Maker) -> str:
    """Identity of this maker: the checksum of the weights, or else the name of the model."""
    return plain(maker.weights) or plain(maker.model) or NAME
