"""Texts of an export."""

from __future__ import annotations

import pytest

from gliomask.export.bundle_files import ExportFacts, edited, runner
from tests.fakes import fake_card


def test_every_part_of_a_program_is_replaced() -> None:
    assert edited("a = 1\nb = 2\n", [("a", "x"), ("b = 2", "y = 3")]) == "x = 1\ny = 3\n"
    assert edited("a\n", []) == "a\n"


@pytest.mark.parametrize(("part", "count"), [("c", 0), ("a = 2", 0), ("=", 2), (" ", 4)])
def test_a_part_that_is_not_there_once_is_refused(part: str, count: int) -> None:
    with pytest.raises(ValueError, match=f"occurs {count} times"):
        edited("a = 1\nb = 2\n", [("b", "d"), (part, "x")])


@pytest.mark.parametrize(
    ("openvino", "package", "other"),
    [(True, "openvino", "onnxruntime"), (False, "onnxruntime", "openvino")],
)
def test_the_program_uses_the_runtime_of_the_graph(
    openvino: bool, package: str, other: str
) -> None:
    text = runner(ExportFacts(fake_card(), {}, openvino=openvino))
    compile(text, "run.py", "exec")
    assert f"import {package}" in text
    assert other not in text.lower()
    off = "ORT_DISABLE_TELEMETRY" if package == "onnxruntime" else "openvino_telemetry"
    assert text.index(off) < text.index(f"import {package}")
