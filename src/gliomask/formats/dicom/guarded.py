"""Decoding in a child process, for a decoder that may crash.

gdcm is the only free decoder of lossless JPEG. On damaged data it crashes its process, or continues
with wrong pixels and a message on stderr. Here a crash only ends the child, and a message is an
error. The child starts with the first file that needs it, decodes one file after the other
(``guarded_child``), and ends with the series.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Timer
from types import TracebackType
from typing import IO

import numpy as np
import numpy.typing as npt

from gliomask.errors import FormatError

CHILD = "gliomask.formats.dicom.guarded_child"
SECONDS = 120.0
"""The time that a file may take."""
REFUSED, DECODED = b"-", b"+"
"""Start of a response of the child; then its length (8 bytes, little endian), and the text
of the error or the pixels of a frame (int64, little endian)."""

_TEXT_BYTES = 4096


class GuardedDecoder:
    """A child that decodes, as a context: nothing is started before it is needed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> GuardedDecoder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    def decode(
        self, path: Path, numbers: Sequence[int], size: tuple[int, int]
    ) -> Iterator[npt.NDArray[np.int64]]:
        """Frames of a file, each (rows, columns) int64 as stored.

        Raises:
            FormatError: the file can't be decoded, or the decoder crashed or hung on it.
        """
        process = self._running()
        requests, answers = process.stdin, process.stdout
        if requests is None or answers is None:
            raise AssertionError("the child has no pipes")
        timer = Timer(SECONDS, process.kill)
        timer.start()
        try:
            requests.write(json.dumps([str(path), list(numbers)]).encode() + b"\n")
            requests.flush()
            for _ in numbers:
                yield _frame(answers, size, path)
        except BrokenPipeError:
            raise _crash(path) from None
        finally:
            timer.cancel()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            # -P: do not import from the working folder.
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-P", "-m", CHILD],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        return self._process


def _frame(answers: IO[bytes], size: tuple[int, int], path: Path) -> npt.NDArray[np.int64]:
    rows, columns = size
    kind, length = answers.read(1), int.from_bytes(answers.read(8), "little")
    if kind == REFUSED:
        text = answers.read(min(length, _TEXT_BYTES)).decode(errors="replace")
        raise FormatError(f"can't be decoded: {text}", path=path)
    content = answers.read(rows * columns * 8)
    if kind != DECODED or length != rows * columns * 8 or len(content) < length:
        raise _crash(path)
    return np.frombuffer(content, "<i8").reshape(rows, columns)


def _crash(path: Path) -> FormatError:
    return FormatError("its decoder crashed or hung: damaged data", path=path)
