"""A model comes back bit for bit, or is refused in one line and nothing is lost."""

from __future__ import annotations

import hashlib
import json
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from gliomask.errors import MachineError, ModelError
from gliomask.nets.cards import ModelCard
from gliomask.nets.u2net import U2Net, build_model
from gliomask.nets.weights import load_model, parse_tensors, save_model


@cache
def _tiny(in_channels: int, seed: int) -> U2Net:
    torch.manual_seed(seed)
    model = build_model("u2net-tiny", in_channels=in_channels, out_channels=1)
    model.train()(torch.randn(2, in_channels, 16, 16))  # moves the statistics off their start
    return model


def tiny(in_channels: int = 2, seed: int = 0) -> U2Net:
    """A network of the caller's own."""
    return deepcopy(_tiny(in_channels, seed))


def card(**changes: Any) -> ModelCard:
    keys: dict[str, Any] = {
        "name": "test",
        "network": "u2net-tiny",
        "in_channels": 2,
        "regions": ("whole",),
        "sequences": ("flair", "t1ce"),
        "size": 64,
        "preprocess": {"version": 1},
        "synthetic": True,
        "trained_on": "nothing",
        "licence": "Apache-2.0",
    }
    return ModelCard(**keys | changes)


def refusal(folder: Path) -> str:
    with pytest.raises(ModelError) as caught:
        load_model(folder)
    text = str(caught.value)
    assert "\n" not in text
    assert text.startswith(str(folder))
    return text


def reseal(folder: Path) -> None:
    """Puts the checksum of the weights as they are into the card."""
    path = folder / "card.json"
    keys = json.loads(path.read_text(encoding="utf-8"))
    data = (folder / "weights.safetensors").read_bytes()
    keys["weights_sha256"] = hashlib.sha256(data).hexdigest()
    path.write_text(json.dumps(keys), encoding="utf-8")


def test_round_trip_is_bit_equal(tmp_path: Path) -> None:
    model = tiny()
    saved = save_model(tmp_path / "run", model, card())
    loaded, read = load_model(tmp_path / "run")
    assert read == saved
    assert not loaded.training
    before, after = model.state_dict(), loaded.state_dict()
    assert list(before) == list(after)
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert all(p.requires_grad and p.device.type == "cpu" for p in loaded.parameters())
    x = torch.randn(1, 2, 17, 23)
    with torch.inference_mode():
        assert all(map(torch.equal, model.eval()(x), loaded(x)))


def test_the_folder_holds_two_files_and_the_card_their_checksum(tmp_path: Path) -> None:
    saved = save_model(tmp_path, tiny(), card())
    assert sorted(p.name for p in tmp_path.iterdir()) == ["card.json", "weights.safetensors"]
    data = (tmp_path / "weights.safetensors").read_bytes()
    assert saved.weights_sha256 == hashlib.sha256(data).hexdigest()


def test_the_memory_format_does_not_matter(tmp_path: Path) -> None:
    plain = save_model(tmp_path / "a", tiny(), card())
    channels_last = tiny()
    torch.nn.utils.convert_conv2d_weight_memory_format(channels_last, torch.channels_last)
    assert save_model(tmp_path / "b", channels_last, card()) == plain


def test_loading_leaves_the_random_numbers_alone(tmp_path: Path) -> None:
    save_model(tmp_path, tiny(), card())
    before = torch.get_rng_state()
    load_model(tmp_path)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """A model folder to be damaged, and the bytes of its weights."""
    folder = tmp_path_factory.mktemp("model")
    save_model(folder, tiny(), card())
    return folder, (folder / "weights.safetensors").read_bytes()


@settings(max_examples=20, deadline=None)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_one_flipped_bit_is_found(whole: tuple[Path, bytes], place: float, bit: int) -> None:
    folder, data = whole
    damaged = bytearray(data)
    damaged[int(place * len(data))] ^= 1 << bit
    (folder / "weights.safetensors").write_bytes(damaged)
    assert "damaged, or not the weights of this card" in refusal(folder)


@pytest.mark.parametrize("kept", [0, 7, 1000])
def test_a_truncated_file_is_found_even_with_its_checksum(tmp_path: Path, kept: int) -> None:
    save_model(tmp_path, tiny(), card())
    path = tmp_path / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:kept])
    assert "the checksum differs" in refusal(tmp_path)
    reseal(tmp_path)
    assert "not a safetensors file" in refusal(tmp_path)


def test_the_checksum_comes_before_the_parser(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_model(tmp_path, tiny(), card())
    (tmp_path / "weights.safetensors").write_bytes(b"anything")

    def parse(_data: bytes) -> None:
        pytest.fail("damaged bytes were parsed")

    monkeypatch.setattr("gliomask.nets.weights.parse_safetensors", parse)
    assert "the checksum differs" in refusal(tmp_path)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    assert "the model folder does not exist" in refusal(tmp_path / "none")
    assert "card.json: there is no model card" in refusal(tmp_path)
    save_model(tmp_path, tiny(), card())
    (tmp_path / "weights.safetensors").unlink()
    assert "weights.safetensors: the weight file does not exist" in refusal(tmp_path)


def test_a_card_without_a_checksum_is_refused(tmp_path: Path) -> None:
    save_model(tmp_path, tiny(), card())
    path = tmp_path / "card.json"
    keys = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(keys | {"weights_sha256": None}), encoding="utf-8")
    assert "the card contains no checksum" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {"in_channels": 1, "sequences": ["flair"]},
            "(stage1.rebnconvin.conv_s1.weight=8x2x3x3 float32, allowed 8x1x3x3 float32)",
        ),
        ({"regions": ["whole", "core"]}, "(side1.weight=1x8x3x3 float32, allowed 2x8x3x3 float32)"),
        ({"network": "u2netp"}, "weights of another network"),
    ],
)
def test_a_card_of_another_network_is_refused(
    tmp_path: Path, changes: dict[str, Any], text: str
) -> None:
    save_model(tmp_path, tiny(), card())
    path = tmp_path / "card.json"
    keys = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(keys | changes), encoding="utf-8")
    assert text in refusal(tmp_path)


def test_tensors_must_be_exactly_those_of_the_network(tmp_path: Path) -> None:
    save_model(tmp_path, tiny(), card())
    path = tmp_path / "weights.safetensors"
    whole = parse_tensors(path, path.read_bytes())
    bias = whole["side1.bias"]
    for changed, text in (
        ({k: v for k, v in whole.items() if k != "side1.bias"}, "lack entry 'side1.bias' (1 in"),
        (whole | {"side7.bias": bias.clone()}, "have an unknown entry 'side7.bias' (1 in all)"),
        (whole | {"side1.bias": bias.half()}, "(side1.bias=1 float16, allowed 1 float32)"),
        (whole | {"side1.bias": bias * torch.nan}, "contain NaN or infinity in 'side1.bias'"),
    ):
        save_file(changed, path)
        reseal(tmp_path)
        assert text in refusal(tmp_path)


def test_a_file_larger_than_any_network_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_model(tmp_path, tiny(), card())
    monkeypatch.setattr("gliomask.nets.arrays.MAX_WEIGHTS_BYTES", 1000)
    assert "larger than the limit for weights (1000 bytes)" in refusal(tmp_path)


@pytest.mark.parametrize(
    "changes",
    [
        {"network": "u2netp"},
        {"in_channels": 1, "sequences": ("flair",)},
        {"regions": ("whole", "core")},
    ],
)
def test_saving_with_the_card_of_another_network_writes_nothing(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    with pytest.raises(ModelError, match="the card is of another network"):
        save_model(tmp_path / "run", tiny(), card(**changes))
    assert not (tmp_path / "run").exists()


def test_saving_broken_weights_writes_nothing(tmp_path: Path) -> None:
    diverged = tiny()
    with torch.no_grad():
        diverged.outconv.weight.fill_(torch.inf)
    for model, text in ((diverged, "NaN or infinity"), (tiny().half(), "float16, allowed")):
        with pytest.raises(ModelError, match=text):
            save_model(tmp_path / "run", model, card())
    assert not (tmp_path / "run").exists()


def test_a_failed_save_keeps_the_model_that_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = tiny(seed=1)
    save_model(tmp_path, first, card(name="first"))

    def full_disk(_path: Path, _data: bytes) -> int:
        raise OSError("no space left")

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    with pytest.raises(MachineError, match=r"weights.safetensors: can't be written: no space left"):
        save_model(tmp_path, tiny(seed=2), card(name="second"))
    monkeypatch.undo()
    loaded, read = load_model(tmp_path)
    assert read.name == "first"
    assert torch.equal(loaded.outconv.weight, first.outconv.weight)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["card.json", "weights.safetensors"]
