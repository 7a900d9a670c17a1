"""Initial weights from the authors' published weights (``u2net.pth``, ``u2netp.pth``).

They were trained on photographs, with three colour channels and one salient region. The first
convolution and the output heads are adapted to MRI sequences and tumour regions; all other entries
must match. The report lists adapted and missing entries. A ``.pth`` file is a pickle, which can
contain code. It is only read by PyTorch's restricted reader (``weights_only=True``).
"""

from __future__ import annotations

import hashlib
import io
import pickle
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from gliomask.core.counted import listed
from gliomask.errors import ModelError
from gliomask.nets.adapt import FIRST_WEIGHT, Adaptation, ChannelMap, fit_weights
from gliomask.nets.arrays import read_weights
from gliomask.nets.specs import SPECS, TORCH_EPSILON
from gliomask.nets.u2net import U2Net, build_model
from gliomask.nets.weights import check_tensors, entry_of, parse_tensors, shapes

_COUNTER: Final = "num_batches_tracked"
_HOW_TO_SAVE: Final = "a file made by torch.save(network.state_dict(), path) is read"


@dataclass(frozen=True)
class LoadReport:
    """Report on every entry of a weight file, by name in the order of the state dict.

    Attributes:
        path: path of the file.
        sha256: its checksum, for the record of a training.
        network: name of the spec.
        matched: entries loaded without changes.
        adapted: entries loaded after a change.
        missing: entries that are not in the file and keep their initial values.
        unexpected: unused entries of the file.
    """

    path: Path
    sha256: str
    network: str
    matched: tuple[str, ...]
    adapted: tuple[Adaptation, ...]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]

    def lines(self) -> list[str]:
        """Report as text: a summary, a line for each change, and the first unused names."""
        return [
            f"{self.path.name} (sha256 {self.sha256[:12]}) into {self.network}: "
            f"{len(self.matched)} matched, {len(self.adapted)} adapted, "
            f"{len(self.missing)} missing, {len(self.unexpected)} unexpected",
            *(f"adapted {a.name}: {a.found} -> {a.made}, {a.how}" for a in self.adapted),
            *_name_lines("missing (fresh values kept)", self.missing),
            *_name_lines("unexpected (not used)", self.unexpected),
        ]


def load_authors_weights(
    path: str | Path,
    spec_name: str,
    in_channels: int,
    out_channels: int,
    channels: ChannelMap | None = None,
    epsilon: float = TORCH_EPSILON,
) -> tuple[U2Net, LoadReport]:
    """Create a network from weights with the authors' names.

    Args:
        path: a state dict saved by ``torch.save`` (``.pth``) or a ``.safetensors`` file.
        spec_name: the network that the weights are of.
        in_channels: C of the network to make.
        out_channels: R of the network to make.
        channels: the sequences of the weights and of the network, where both are known.
        epsilon: of the batch norms that the weights were trained with.

    Two kinds of entries are adapted where the numbers differ:

    * the first convolution, from S to C channels: by the names of the sequences where they are
      known (a new one begins at zero); else every new channel gets the mean over the S old
      ones, times S / C. An image given in all C channels then answers exactly as a grey image in
      the S old channels did, so the batch norms that follow stay right.
    * the heads, from 1 to R regions: each region starts as a copy of the one. In ``outconv``,
      which reads six maps of R regions, region r reads the six maps of region r.

    The heads and the counters of the batch norms may be missing: they keep their initial values.

    Returns:
        the network on the CPU in evaluation mode, and the report.

    Raises:
        ConfigError: the network is unknown, or a number is below 1. ModelError: the file is
            missing, damaged, contains more than plain tensors, or weights of another network.
    """
    model = build_model(
        spec_name, in_channels=in_channels, out_channels=out_channels, epsilon=epsilon
    )
    path = Path(path)
    data = read_weights(path)
    source = read_state(path, data)
    fresh = model.state_dict()
    _check_body(path, source, fresh)
    tensors, adapted = fit_weights(
        {name: source[name] for name in fresh if name in source}, fresh, channels
    )
    check_tensors(path, fresh | tensors, fresh)
    model.load_state_dict(fresh | tensors, strict=True)
    changed = {change.name for change in adapted}
    report = LoadReport(
        path,
        hashlib.sha256(data).hexdigest(),
        spec_name,
        matched=tuple(name for name in tensors if name not in changed),
        adapted=adapted,
        missing=tuple(name for name in fresh if name not in source),
        unexpected=tuple(sorted(name for name in source if name not in fresh)),
    )
    return model.eval(), report


def read_state(path: Path, data: bytes) -> dict[str, Tensor]:
    """Read the tensors of a state dict in a ``.pth`` or ``.safetensors`` file, by name.

    Raises:
        ModelError: damaged, or contains more than plain tensors by name.
    """
    if path.suffix == ".safetensors":
        return parse_tensors(path, data)
    state = _unpickle(path, data)
    if not isinstance(state, dict) or not state:
        raise ModelError("not a state dict (tensors by name)", path=path, hint=_HOW_TO_SAVE)
    for name, value in state.items():
        if not isinstance(name, str) or not _is_plain(value, len(data)):
            raise ModelError(
                "contains something else than plain tensors by name",
                path=path,
                field="entry",
                found=name,
                hint=_HOW_TO_SAVE,
            )
    return {name: value.detach() for name, value in state.items()}


def _unpickle(path: Path, data: bytes) -> object:
    """Load a pickle with the restricted reader of PyTorch, which executes no code."""
    try:
        _refuse_compressed(data)
        return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        opcode = re.search(r"GLOBAL ([\w.]+)", str(error))
        raise ModelError(
            "refused: not a plain state dict (damaged, or contains code); no code was executed",
            path=path,
            field="asks for" if opcode else None,
            found=opcode and opcode[1],
            hint=_HOW_TO_SAVE,
        ) from None
    except Exception as error:
        # The reader raises various errors for damaged files (KeyError, EOFError, RuntimeError).
        raise ModelError(
            f"not a PyTorch state dict, or damaged: {type(error).__name__}", path=path
        ) from None


def _refuse_compressed(data: bytes) -> None:
    """Refuse compressed entries, which torch.save does not write and which could unpack without
    limit."""
    if data.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
                raise zipfile.BadZipFile("compressed entries")


def _is_plain(value: object, most_bytes: int) -> bool:
    """Check for a dense tensor on the CPU with no more values than the file can contain."""
    return (
        isinstance(value, Tensor)
        and value.layout is torch.strided
        and value.device.type == "cpu"
        and value.nbytes <= most_bytes
    )


def _check_body(path: Path, tensors: dict[str, Tensor], fresh: dict[str, Tensor]) -> None:
    """Check that all stages exist and match: untrained stages would make the weights useless."""
    body = [name for name in fresh if _is_body(name)]
    if lost := [name for name in body if name not in tensors]:
        raise ModelError(
            f"lacks {len(lost)} of the network's entries, first {lost[0]!r}",
            path=path,
            field="unknown entry",
            found=next((name for name in tensors if name not in fresh), "none"),
        )
    for name in body:
        if name != FIRST_WEIGHT and tensors[name].shape != fresh[name].shape:
            raise ModelError(
                "weights of another network",
                path=path,
                field=name,
                found=str(entry_of(tensors[name])),
                allowed=str(entry_of(fresh[name])),
                hint=_right_network(tensors),
            )


def _right_network(tensors: dict[str, Tensor]) -> str | None:
    """Hint with the network whose stages have the found shapes."""
    for name in SPECS:
        known = shapes(name, 1, 1)
        body = [key for key in known if _is_body(key) and key != FIRST_WEIGHT]
        if all(tensors[key].shape == known[key].shape for key in body):
            return f"the stages are those of {name!r}"
    return None


def _is_body(name: str) -> bool:
    return name.startswith("stage") and not name.endswith(_COUNTER)


def _name_lines(what: str, names: tuple[str, ...]) -> list[str]:
    """The first names and the number of others; ``LoadReport`` contains all."""
    if not names:
        return []
    return [f"{what}: {listed(names, 3)}"]
