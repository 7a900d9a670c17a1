"""Names of the segments of a mask, where an NRRD file of 3D Slicer contains them.

Source: ``vtkMRMLSegmentationStorageNode`` of 3D Slicer, which writes ``Segment0_Name`` and
``Segment0_LabelValue`` for each segment.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from gliomask.formats.content import read_start
from gliomask.formats.itk_header import read_text_header

_VALUE: Final = re.compile(r"segment(\d+)_labelvalue")


def segment_names(path: Path) -> dict[int, str]:
    """Number -> name of the segments of a file; empty where it names none, or is no NRRD file.

    Raises:
        FormatError: missing, or its data lies elsewhere.
    """
    if read_start(path, 4) != b"NRRD":
        return {}
    fields = {key: value.removeprefix("=") for key, value in read_text_header(path).fields.items()}
    names = {}
    for key, value in fields.items():
        match = _VALUE.fullmatch(key)
        name = fields.get(f"segment{match[1]}_name", "") if match else ""
        if name and value.isdecimal():
            names[int(value)] = name
    return names
