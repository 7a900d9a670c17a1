"""Scan options of a phantom, and their allowed ranges."""

from __future__ import annotations

from dataclasses import dataclass

from gliomask.errors import ConfigError
from gliomask.phantom.fields import PhantomGrid

_CENTRE_MM = (0.0, -16.0, 8.0)
"""Middle of the scanned box: about the middle of a head without its neck, RAS+."""


def check_range(field: str, value: float, low: float, high: float) -> None:
    """Raises ConfigError unless ``low <= value <= high``."""
    if not low <= value <= high:
        allowed = f"{low:g} to {high:g}"
        raise ConfigError("phantom option out of range", field=field, found=value, allowed=allowed)


@dataclass(frozen=True)
class PatientOptions:
    """Scan options of a phantom.

    Attributes:
        matrix: pixels along each side of a slice, 32 to 512.
        slices: number of slices, 6 to 256.
        slice_mm: thickness, without gaps; the slices together reach over 90 to 220 mm.
        field_mm: side of a slice, 220 to 320 mm.
        skull: whole heads rather than brains cut out of them.
        enhancing: chance that a tumour enhances, 0 to 1.

    Raises:
        ConfigError: a value out of its range.
    """

    matrix: int = 192
    slices: int = 22
    slice_mm: float = 6.0
    field_mm: float = 240.0
    skull: bool = False
    enhancing: float = 0.4

    def __post_init__(self) -> None:
        check_range("matrix", self.matrix, 32, 512)
        check_range("slices", self.slices, 6, 256)
        check_range("slices x slice_mm", self.slices * self.slice_mm, 90, 220)
        check_range("field_mm", self.field_mm, 220, 320)
        check_range("enhancing", self.enhancing, 0, 1)

    @property
    def grid(self) -> PhantomGrid:
        """The box that is scanned."""
        pixel = self.field_mm / self.matrix
        shape = (self.matrix, self.matrix, self.slices)
        return PhantomGrid(shape, (pixel, pixel, self.slice_mm), _CENTRE_MM)


DEFAULT = PatientOptions()
"""Brains without skull, 22 slices of 192 x 192."""
