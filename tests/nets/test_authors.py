"""The authors' files start a network, the report says how, and a hostile file does nothing."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor

from gliomask.errors import ConfigError, ModelError
from gliomask.nets.authors import load_authors_weights
from gliomask.nets.u2net import build_model

FIRST = "stage1.rebnconvin.conv_s1.weight"


@cache
def _state(network: str, channels: int, regions: int) -> dict[str, Tensor]:
    torch.manual_seed(0)
    return dict(build_model(network, in_channels=channels, out_channels=regions).state_dict())


def state(network: str = "u2net-tiny", channels: int = 3, regions: int = 1) -> dict[str, Tensor]:
    """Stands in for the authors' file: their names, three channels, one region."""
    return {name: value.clone() for name, value in _state(network, channels, regions).items()}


def saved(folder: Path, content: object) -> Path:
    path = folder / "u2net.pth"
    torch.save(content, path)
    return path


def refusal(path: Path, network: str = "u2net-tiny", regions: int = 1) -> str:
    with pytest.raises(ModelError) as caught:
        load_authors_weights(path, network, 3, regions)
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert "\n" not in text
    return text.removeprefix(f"{path}: ")


class Payload:
    """Reading it with an unrestricted pickle makes a file."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str, str]]:
        return open, (str(self.target), "w")


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_the_same_numbers_load_as_they_are(tmp_path: Path, suffix: str) -> None:
    source, path = state(), tmp_path / f"u2net{suffix}"
    if suffix == ".pth":
        torch.save(source, path)
    else:
        save_file(source, path)
    model, report = load_authors_weights(path, "u2net-tiny", 3, 1)
    assert not model.training
    loaded = model.state_dict()
    assert all(torch.equal(loaded[name], source[name]) for name in source)
    assert report.matched == tuple(source)
    assert (report.adapted, report.missing, report.unexpected) == ((), (), ())
    assert report.lines() == [
        f"u2net{suffix} (sha256 {report.sha256[:12]}) into u2net-tiny: "
        "798 matched, 0 adapted, 0 missing, 0 unexpected"
    ]


def test_the_file_format_before_2020_is_read_too(tmp_path: Path) -> None:
    path, source = tmp_path / "u2net.pth", state()
    torch.save(source, path, _use_new_zipfile_serialization=False)
    model, report = load_authors_weights(path, "u2net-tiny", 3, 1)
    assert len(report.matched) == 798
    assert torch.equal(model.state_dict()[FIRST], source[FIRST])


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_other_channels_change_one_entry(tmp_path: Path, channels: int) -> None:
    path = saved(tmp_path, state())
    model, report = load_authors_weights(path, "u2net-tiny", channels, 1)
    (change,) = report.adapted
    assert change.name == FIRST
    assert (change.found, change.made) == ("8x3x3x3 float32", f"8x{channels}x3x3 float32")
    assert len(report.matched) == 797
    expected = state()[FIRST].sum(dim=1) / channels
    for channel in range(channels):
        torch.testing.assert_close(model.state_dict()[FIRST][:, channel], expected)
    assert report.lines()[1] == (
        f"adapted {FIRST}: 8x3x3x3 float32 -> 8x{channels}x3x3 float32, "
        f"mean over the 3 channels, times 3/{channels}, in each of the {channels}"
    )


def test_three_regions_change_the_heads(tmp_path: Path) -> None:
    model, report = load_authors_weights(saved(tmp_path, state()), "u2net-tiny", 4, 3)
    assert {change.name for change in report.adapted} == {FIRST} | {
        f"{head}.{part}"
        for head in ("side1", "side2", "side3", "side4", "side5", "side6", "outconv")
        for part in ("weight", "bias")
    }
    made = {change.name: change.made for change in report.adapted}
    assert made["outconv.weight"] == "3x18x1x1 float32"
    assert made["side6.bias"] == "3 float32"
    assert len(report.matched) == 798 - 15
    assert len(report.lines()) == 16
    assert [tuple(m.shape) for m in model(torch.randn(1, 4, 33, 20))] == [(1, 3, 33, 20)] * 7


def test_missing_counters_and_heads_stay_fresh_and_are_named(tmp_path: Path) -> None:
    # Files from PyTorch before 0.4.1 hold no counters.
    source = {
        name: value
        for name, value in state().items()
        if not name.endswith("num_batches_tracked") and name != "outconv.bias"
    }
    source["epoch"] = torch.tensor(7)
    model, report = load_authors_weights(saved(tmp_path, source), "u2net-tiny", 3, 1)
    assert len(report.missing) == 113
    assert report.missing[-1] == "outconv.bias"
    assert report.unexpected == ("epoch",)
    assert model.state_dict()["stage1.rebnconvin.bn_s1.num_batches_tracked"] == 0
    first, second = (f"stage1.rebnconv{k}.bn_s1.num_batches_tracked" for k in ("in", "1"))
    assert report.lines()[1].startswith(f"missing (fresh values kept): {first}, {second}, ")
    assert report.lines()[1].endswith(" and 110 more")
    assert report.lines()[2] == "unexpected (not used): epoch"


def test_a_missing_stage_is_refused(tmp_path: Path) -> None:
    source = {f"module.{name}": value for name, value in state().items()}
    assert refusal(saved(tmp_path, source)) == (
        f"lacks 672 of the network's entries, first {FIRST!r} (unknown entry=module.{FIRST})"
    )
    whole = state()
    del whole["stage3.rebnconv2.bn_s1.running_var"]
    assert refusal(saved(tmp_path, whole)) == (
        "lacks 1 of the network's entries, first 'stage3.rebnconv2.bn_s1.running_var' "
        "(unknown entry=none)"
    )


def test_another_network_is_refused_and_named(tmp_path: Path) -> None:
    text = refusal(saved(tmp_path, state("u2netp")))
    assert text.startswith(
        "weights of another network (stage1.rebnconvin.conv_s1.bias=64 float32, "
    )
    assert text.endswith("; the stages are those of 'u2netp'")


def test_heads_of_two_regions_do_not_become_three(tmp_path: Path) -> None:
    text = refusal(saved(tmp_path, state(regions=2)), regions=3)
    assert "weights of another network (side1.weight=2x8x3x3 float32, allowed 3x8x3x3" in text


def test_other_kinds_of_numbers_are_refused(tmp_path: Path) -> None:
    half = {name: value.half() for name, value in state().items()}
    assert "8x3x3x3 float16, allowed 8x3x3x3 float32" in refusal(saved(tmp_path, half))
    broken = state()
    broken["side1.bias"].fill_(torch.nan)
    assert refusal(saved(tmp_path, broken)) == "the weights contain NaN or infinity in 'side1.bias'"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ([1, 2], "not a state dict (tensors by name)"),
        ({}, "not a state dict (tensors by name)"),
        ({"epoch": 3}, "contains something else than plain tensors by name (entry=epoch)"),
        ({3: torch.ones(1)}, "contains something else than plain tensors by name (entry=3)"),
        ({"w": torch.eye(3).to_sparse()}, "contains something else than plain tensors"),
        ({"w": torch.empty(3, device="meta")}, "contains something else than plain tensors"),
        # Four bytes that claim to be a terabyte.
        ({FIRST: torch.ones(1).expand(8, 10**10, 3, 3)}, "contains something else than plain"),
    ],
)
def test_what_is_no_state_dict_is_refused(tmp_path: Path, content: object, text: str) -> None:
    assert refusal(saved(tmp_path, content)).startswith(text)


def test_the_payload_of_the_next_test_would_work(tmp_path: Path) -> None:
    call, arguments = Payload(tmp_path / "made").__reduce__()
    call(*arguments).close()
    assert (tmp_path / "made").exists()


@pytest.mark.parametrize("form", ["bare pickle", "zip", "before 2020"])
def test_a_pickle_with_code_is_refused_and_not_run(tmp_path: Path, form: str) -> None:
    target, path = tmp_path / "made", tmp_path / "u2net.pth"
    content = state() | {"extra": Payload(target)}
    if form == "bare pickle":
        path.write_bytes(pickle.dumps({"extra": Payload(target)}, protocol=2))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=form == "zip")
    text = refusal(path)
    assert text.startswith("refused: not a plain state dict (damaged, or contains code)")
    assert "no code was executed" in text
    assert not target.exists()


def test_the_name_of_what_a_pickle_asks_for_is_told(tmp_path: Path) -> None:
    assert "(asks for=io.open)" in refusal(saved(tmp_path, {"a": Payload(tmp_path / "made")}))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x02", b"GIF89a" * 100])
def test_damage_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "u2net.pth"
    path.write_bytes(content)
    assert refusal(path)
    other = tmp_path / "u2net.safetensors"
    other.write_bytes(content)
    assert refusal(other).startswith("not a safetensors file")


def test_a_compressed_file_could_swell_and_is_refused(tmp_path: Path) -> None:
    whole, path = saved(tmp_path, state()), tmp_path / "small.pth"
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    assert refusal(path) == "not a PyTorch state dict, or damaged: BadZipFile"


def test_a_missing_file_and_an_unknown_network_are_said(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.pth") == "the weight file does not exist"
    with pytest.raises(ConfigError, match="did you mean 'u2netp'"):
        load_authors_weights(tmp_path / "none.pth", "u2netpp", 3, 1)


def small_pth() -> bytes:
    buffer = io.BytesIO()
    torch.save({"w": torch.arange(6.0), "b": torch.ones(2)}, buffer)
    return buffer.getvalue()


SMALL = small_pth()


@settings(max_examples=15, deadline=None)
@given(place=st.integers(0, len(SMALL) - 1), value=st.integers(0, 255), end=st.booleans())
def test_any_damage_is_one_line(
    tmp_path_factory: pytest.TempPathFactory, place: int, value: int, end: bool
) -> None:
    path = tmp_path_factory.mktemp("pth") / "damaged.pth"
    data = SMALL[:place] if end else SMALL[:place] + bytes([value]) + SMALL[place + 1 :]
    path.write_bytes(data)
    assert refusal(path)
