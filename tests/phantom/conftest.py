"""Small phantoms, made once for all tests of the room."""

from __future__ import annotations

import pytest

from gliomask.core.labels import LabelArray
from gliomask.core.volume import Volume
from gliomask.phantom.anatomy import Template, load_template
from gliomask.phantom.options import PatientOptions
from gliomask.phantom.patient import synthetic_patient

SMALL = PatientOptions(matrix=48, slices=14, slice_mm=9.0)
WHOLE_HEAD = PatientOptions(matrix=48, slices=14, slice_mm=9.0, skull=True)


@pytest.fixture(scope="session")
def template() -> Template:
    return load_template()


@pytest.fixture(scope="session")
def small() -> PatientOptions:
    return SMALL


@pytest.fixture(scope="session")
def stripped(template: Template) -> list[tuple[Volume, LabelArray]]:
    """Six patients without skull."""
    return [synthetic_patient(11, SMALL, index) for index in range(6)]


@pytest.fixture(scope="session")
def head(template: Template) -> tuple[Volume, LabelArray]:
    """The first of them with its head."""
    return synthetic_patient(11, WHOLE_HEAD, 0)
