"""One table of regions: what it says, and that nothing else in the package says it again."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path
from typing import get_args

import numpy as np
import numpy.typing as npt
import pytest

import gliomask
from gliomask.config import RegionName
from gliomask.core.labels import CORE, ENHANCING, NECROSIS, OEDEMA, TUMOUR
from gliomask.core.regions import REGIONS, labels_of_regions, margin_title, region_numbers

PACKAGE = Path(gliomask.__file__).parent
DOCS = PACKAGE.parents[1] / "docs"
Matrix = npt.NDArray[np.float64]
# Machado, Oliveira and Fernandes (2009), severity 1.
VISION: dict[str, Matrix] = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}


def test_regions_are_nested_from_the_outermost() -> None:
    assert list(REGIONS) == ["whole", "core", "enhancing"]
    whole, core, enhancing = (set(region.labels) for region in REGIONS.values())
    assert enhancing < core < whole == {NECROSIS, OEDEMA, ENHANCING, TUMOUR, CORE}
    assert [region.name for region in REGIONS.values()] == list(REGIONS)
    assert get_args(RegionName) == tuple(REGIONS)


@pytest.mark.parametrize(
    ("regions", "numbers"),
    [
        (("whole",), {"whole": 1}),
        (("core",), {"core": 1}),
        (("enhancing", "whole", "core"), {"whole": 2, "core": 1, "enhancing": 3}),
        (("core", "whole"), {"whole": 2, "core": 1}),
    ],
)
def test_numbers_in_a_mask_file(regions: tuple[str, ...], numbers: dict[str, int]) -> None:
    assert region_numbers(regions) == numbers
    nested = np.array([[name in list(REGIONS)[: k + 1] for k in range(3)] for name in regions])
    innermost = [
        next((numbers[name] for name in reversed(list(REGIONS)[: k + 1]) if name in numbers), 0)
        for k in range(3)
    ]
    assert labels_of_regions(nested, regions).tolist() == innermost


def test_the_margin_of_a_region_is_what_inner_ones_leave_of_it() -> None:
    three = tuple(REGIONS)
    assert [margin_title(name, three) for name in three] == [
        "oedema",
        "necrotic or non-enhancing tumour core",
        "enhancing tumour",
    ]
    assert margin_title("core", ("whole", "core")) == "tumour core"
    assert margin_title("whole", ("whole",)) == "whole tumour"


@pytest.mark.parametrize("vision", VISION)
def test_colours_differ_for_every_kind_of_colour_vision(vision: str) -> None:
    """36 in CIELAB; Okabe and Ito's orange and yellow, as before, are 17 apart at least."""
    seen = [_lab(VISION[vision] @ _linear(region.colour)) for region in REGIONS.values()]
    assert min(float(np.linalg.norm(a - b)) for a, b in combinations(seen, 2)) >= 36


def test_colours_show_on_white_and_on_black() -> None:
    light = [float(_linear(one.colour) @ (0.2126, 0.7152, 0.0722)) for one in REGIONS.values()]
    assert min(1.05 / (one + 0.05) for one in light) > 2.2
    assert min((one + 0.05) / 0.05 for one in light) > 5.3


def test_nothing_else_spells_a_colour_or_a_code_of_a_region() -> None:
    facts = {fact for one in REGIONS.values() for fact in (one.colour, one.code.value)}
    facts |= {", ".join(map(str, one.rgb)) for one in REGIONS.values()}
    facts |= {" ".join(map(str, one.rgb)) for one in REGIONS.values()}
    files = [
        path
        for path in PACKAGE.rglob("*")
        if path.suffix in {".py", ".css", ".js", ".j2", ".json", ".yaml"}
        and not {"vendor", "models"} & set(path.parts)
    ]
    assert len(files) > 300
    where = {
        (path.relative_to(PACKAGE).as_posix(), fact)
        for path in files
        for fact in facts
        if fact.lower() in path.read_text(encoding="utf-8").lower()
    }
    assert {place for place, _ in where} == {"core/regions.py"}


def test_no_other_meaning_has_the_colour_of_a_region() -> None:
    """A hexadecimal colour of the pages and figures is none of the table's, however it is spelt."""
    colours = {region.colour.lower() for region in REGIONS.values()}
    spelt = [
        colour.lower()
        for path in (PACKAGE / "report").rglob("*")
        if path.suffix in {".py", ".css", ".js", ".j2"} and "vendor" not in path.parts
        for colour in re.findall(r"#[0-9a-fA-F]{6}\b", path.read_text(encoding="utf-8"))
    ]
    assert len(spelt) > 30
    assert not colours & set(spelt)


def test_the_reference_tells_the_table() -> None:
    rows = [
        f"| {one.label} | {one.colour} | {one.code.scheme} {one.code.value} {one.code.meaning} |"
        for one in REGIONS.values()
    ]
    text = (DOCS / "reference" / "dicom.md").read_text(encoding="utf-8")
    assert [row for row in rows if row not in text] == []


def _linear(colour: str) -> Matrix:
    values = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def _lab(linear: Matrix) -> Matrix:
    """CIELAB under D65 of linear sRGB."""
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    x, y, z = np.cbrt(to_xyz @ np.clip(linear, 0.01, 1) / (0.9505, 1.0, 1.089))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])
