"""Figures for people."""

from __future__ import annotations

import doctest

import pytest

from gliomask.report import numbers
from gliomask.report.numbers import interval_text, number_text, signed_text


def test_examples_in_the_docstrings() -> None:
    assert doctest.testmod(numbers).attempted == 3


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (0.8135, 2, "0.81"),
        (-3.14159, 1, "−3.1"),
        (12345.6, 0, "12,346"),
        (-0.001, 2, "0.00"),
        (None, 3, "–"),
    ],
)
def test_numbers(value: float | None, decimals: int, text: str) -> None:
    assert number_text(value, decimals) == text


def test_signs() -> None:
    assert signed_text(0.04, 1) == "0.0"
    assert signed_text(0.06, 1) == "+0.1"
    assert signed_text(1500.0, 0) == "+1,500"


def test_intervals() -> None:
    assert interval_text((-1.0, 2.5), 1) == "[−1.0, 2.5]"
