"""PyTorch files of the authors' names: which network they are of is known by their shapes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from gliomask.errors import ConfigError, ModelError
from gliomask.nets.foreign.read import read_foreign
from tests.nets.foreign.nets import arrays_of, one_line, trained


@pytest.mark.parametrize("name", ["u2net.pth", "u2net.pt", "u2net.safetensors"])
def test_the_authors_names(tmp_path: Path, name: str) -> None:
    model, path = trained(channels=3, regions=2), tmp_path / name
    state = {key: v for key, v in model.state_dict().items() if "num_batches" not in key}
    if name.endswith("safetensors"):
        save_file(state, path)
    else:
        torch.save(state, path)
    found = read_foreign(path)
    assert (found.kind.spec.name, found.kind.in_channels, found.kind.regions) == (
        "u2net-tiny",
        3,
        2,
    )
    assert (found.epsilon, found.proved) == (1e-5, True)
    due = arrays_of(model)
    assert found.arrays.keys() == due.keys()
    assert all(np.array_equal(v, due[k]) for k, v in found.arrays.items() if "num_b" not in k)


def test_what_data_parallel_puts_before_names_is_taken_off(tmp_path: Path) -> None:
    state = {f"module.{key}": value for key, value in trained().state_dict().items()}
    torch.save(state, tmp_path / "u2net.pth")
    assert "outconv.weight" in read_foreign(tmp_path / "u2net.pth").arrays


def test_other_names_for_the_same_shapes_are_refused(tmp_path: Path) -> None:
    state = {key.replace("stage6", "deepest"): v for key, v in trained().state_dict().items()}
    path = tmp_path / "u2net.pth"
    torch.save(state, path)
    with pytest.raises(ModelError) as caught:
        read_foreign(path)
    assert one_line(caught.value, path) == (
        "lacks 16 of the layers of u2net-tiny under the authors' names "
        "(layer=deepest.rebnconvin.conv_s1, allowed stage6.rebnconvin.conv_s1)"
    )


def test_the_option_for_keras_files_is_for_them_only(tmp_path: Path) -> None:
    torch.save(trained().state_dict(), tmp_path / "u2net.pth")
    with pytest.raises(ConfigError, match="only for Keras files"):
        read_foreign(tmp_path / "u2net.pth", (1, 2, 3, 4, 5, 6))


def test_other_kinds_of_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "weights.bin"
    path.write_bytes(b"0123456789")
    with pytest.raises(ModelError, match=r"not a weight file in a known format \(kind=.bin"):
        read_foreign(path)
    with pytest.raises(ModelError, match="the weight file does not exist"):
        read_foreign(tmp_path / "none.h5")


@pytest.mark.parametrize("name", ["w.h5", "w.weights.h5", "W.H5", "w.hdf5", "w.keras"])
def test_a_damaged_file_of_keras_is_not_an_unknown_kind(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"garbage" * 50)
    with pytest.raises(ModelError) as refused:
        read_foreign(path)
    assert str(refused.value) == (
        f"{path}: damaged, or not a Keras file: its content is neither HDF5 nor a .keras archive; "
        "download or copy it again"
    )


@pytest.mark.parametrize("name", ["dir.h5", "saved_model"])
def test_a_folder_is_no_weight_file(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(ModelError) as refused:
        read_foreign(tmp_path / name)
    assert str(refused.value).startswith(f"{tmp_path / name}: a folder, not a weight file (kind=")
