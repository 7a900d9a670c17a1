"""Compiled libraries that print: what they say must not get into the standard output."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_stdout() -> Iterator[None]:
    """Whatever the process writes to its standard output in the block is dropped.

    It works below Python, on the file descriptor, and so for all threads: keep the block short.
    """
    sys.stdout.flush()
    kept = os.dup(1)
    try:
        with tempfile.TemporaryFile() as sink:
            os.dup2(sink.fileno(), 1)
            yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
