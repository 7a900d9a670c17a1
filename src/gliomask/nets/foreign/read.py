"""Reader of foreign weights, which recognises the format of a file by its content."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Final

from gliomask.errors import ConfigError, MachineError, ModelError
from gliomask.nets.arrays import MAX_WEIGHTS_BYTES
from gliomask.nets.foreign.hdf5 import MAGIC
from gliomask.nets.foreign.weights import ForeignWeights

KINDS: Final = "Keras (.h5, .weights.h5, .keras), ONNX (.onnx), PyTorch (.pth, .pt, .safetensors)"

_OF_KERAS: Final = (".h5", ".hdf5", ".keras")


def read_foreign(path: Path, sides: tuple[int, ...] | None = None) -> ForeignWeights:
    """Read the weights of a U²-Net from another program, with our names.

    Args:
        path: of the file; Keras, ONNX and PyTorch are read.
        sides: for a Keras file without it, the order of its side outputs.

    Raises:
        ModelError: no such file, a folder, too large, damaged, or not the weights of a U²-Net.
        QuestionError: a Keras file allows several orders of its side outputs.
        ConfigError: ``sides`` is not such an order, or the file needs none.
        PackageError, MachineError: a package that reads it is not installed.
    """
    kind = _kind(path)
    if kind == "keras":
        from gliomask.nets.foreign.keras import read_keras

        return read_keras(path, sides)
    if sides is not None:
        raise ConfigError("only for Keras files", path=path, field="sides", found=sides)
    if kind == "onnx":
        return _read_onnx(path)
    from gliomask.nets.foreign.pytorch_file import read_pytorch

    return read_pytorch(path)


def _read_onnx(path: Path) -> ForeignWeights:
    try:
        from gliomask.nets.foreign.onnx_file import read_onnx
    except ImportError:
        what = "ONNX files need onnx, which is not installed"
        raise MachineError(what, path=path, hint="pip install onnx") from None
    return read_onnx(path)


def _kind(path: Path) -> str:
    if path.is_dir():
        raise ModelError(
            "a folder, not a weight file", path=path, field="kind", found="folder", allowed=KINDS
        )
    if not path.is_file():
        raise ModelError("the weight file does not exist", path=path)
    if path.stat().st_size > MAX_WEIGHTS_BYTES:
        raise ModelError(f"larger than weights may be ({MAX_WEIGHTS_BYTES} bytes)", path=path)
    with path.open("rb") as file:
        start = file.read(len(MAGIC))
    if start == MAGIC or _is_keras_zip(path):
        return "keras"
    suffix = path.suffix.lower()
    if suffix in (".onnx", ".pth", ".pt", ".safetensors"):
        return "onnx" if suffix == ".onnx" else "pytorch"
    if suffix in _OF_KERAS:
        what = "its content is neither HDF5 nor a .keras archive"
        hint = "download or copy it again"
        raise ModelError(f"damaged, or not a Keras file: {what}", path=path, hint=hint)
    raise ModelError(
        "not a weight file in a known format", path=path, found=suffix, field="kind", allowed=KINDS
    )


def _is_keras_zip(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return "config.json" in archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError):
        return False
