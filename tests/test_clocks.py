"""No test measures elapsed or CPU time: another machine, or a busy one, takes longer."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parent
ELAPSED = re.compile(r"\b(?:process_time|thread_time|perf_counter|monotonic)(?:_ns)?\(\)\s*-")


def test_no_test_measures_time() -> None:
    """Count the work instead (bytes, calls, slices); times belong to ``benchmarks/``.

    Waiting until a deadline is allowed: ``while time.monotonic() < end``.
    """
    found = [
        f"{path.relative_to(TESTS)}: {match.group()}"
        for path in sorted(TESTS.rglob("*.py"))
        for match in ELAPSED.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []
    assert ELAPSED.search("time.process_time() " + "- start < 0.5")
    assert not ELAPSED.search("end = time.monotonic() + 60")
