"""Safe reader of HDF5 data sets: bounded size, in the same file, plain numbers.

HDF5 files can link to other files, store data in other files, declare too large data sets, and
contain chunks that unpack to huge ones. All of these are refused. h5py is only loaded here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gliomask.errors import GliomaskError, MachineError, ModelError

MAGIC: Final = b"\x89HDF\r\n\x1a\n"
_MOST_OBJECTS: Final = 50_000
"""U²-Net has under 2,000 groups and data sets; the optimiser's state three times as many."""
_DEEPEST: Final = 24
_FILTERS: Final = frozenset({"gzip", "lzf", None})
_SMALL_CHUNK: Final = 1 << 16
"""Maximum number of values by which a chunk may exceed its data set."""


@contextmanager
def opened_hdf5(path: Path, data: bytes | None = None) -> Iterator[Any]:
    """The root group of a file; whatever HDF5 makes of damaged bytes becomes a ``ModelError``.

    Args:
        path: of the file.
        data: its bytes, where it is a part of another file.

    Raises:
        ModelError: not HDF5, or damaged.
        MachineError: h5py is not installed.
    """
    h5py = _h5py()
    try:
        with h5py.File(path if data is None else BytesIO(data), "r") as file:
            yield file
    except GliomaskError:
        raise
    except (OSError, KeyError, ValueError, RuntimeError, TypeError) as problem:
        what = str(problem).splitlines()[0] if str(problem) else type(problem).__name__
        raise ModelError(f"not an HDF5 file, or damaged: {what}", path=path) from None


def data_sets(group: Any, path: Path) -> Iterator[tuple[str, Any]]:
    """(path below the group, data set) of all with numbers in this file.

    Raises:
        ModelError: more objects, or deeper, than weights are.
    """
    h5py, count = _h5py(), 0
    stack = [("", group, 0)]
    while stack:
        prefix, parent, depth = stack.pop()
        for name in sorted(parent, reverse=True):
            count += 1
            if count > _MOST_OBJECTS or depth > _DEEPEST:
                raise ModelError("contains more objects than weights have", path=path)
            if not isinstance(parent.get(name, getlink=True), h5py.HardLink):
                continue
            item = parent[name]
            if isinstance(item, h5py.Group):
                stack.append((f"{prefix}{name}/", item, depth + 1))
            elif isinstance(item, h5py.Dataset) and item.dtype.kind == "f":
                yield f"{prefix}{name}", item


def read_values(data_set: Any, path: Path) -> npt.NDArray[np.float32]:
    """Read the numbers of a data set with a verified shape.

    Raises:
        ModelError: it lies outside the file, is packed in an unknown way, or unpacks to more than
            it holds.
    """
    chunk = math.prod(data_set.chunks or (0,))
    outside = data_set.external or data_set.is_virtual
    odd = data_set.compression not in _FILTERS or chunk > max(data_set.size, _SMALL_CHUNK)
    if outside or odd:
        raise ModelError(
            "a data set that is not stored plainly in this file is not read",
            path=path,
            field=data_set.name,
            found="outside this file" if outside else f"{data_set.compression}, chunks of {chunk}",
        )
    values: npt.NDArray[np.float32] = data_set.astype(np.float32)[()]
    return values


def attribute(group: Any, name: str, most: int) -> bytes | None:
    """A text attribute of at most ``most`` bytes; None where there is none."""
    if name not in group.attrs:
        return None
    raw = group.attrs[name]
    text = raw.encode() if isinstance(raw, str) else raw
    return text if isinstance(text, bytes) and len(text) <= most else None


def names_attribute(group: Any, name: str) -> tuple[str, ...]:
    """A list of names; Keras parts a long one into ``name0``, ``name1`` ..."""
    parts = [name] if name in group.attrs else []
    while f"{name}{len(parts)}" in group.attrs and name not in parts:
        parts.append(f"{name}{len(parts)}")
    texts = [text for part in parts for text in np.atleast_1d(group.attrs[part])]
    return tuple(text.decode() if isinstance(text, bytes) else str(text) for text in texts)


def _h5py() -> Any:
    try:
        import h5py
    except ImportError:
        what = "weights of Keras need h5py, which is not installed"
        raise MachineError(what, hint='pip install "gliomask[keras]"') from None
    return h5py
