"""Trainings that begin with the weights of another."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from gliomask.errors import ConfigError, ModelError
from gliomask.nets.cards import read_card
from gliomask.nets.u2net import build_model
from gliomask.nets.weights import load_model, save_model
from gliomask.provenance.run_record import RunRecord
from gliomask.store.store import Store
from gliomask.workflows.import_model import ImportOptions, import_model
from tests.nets.foreign.keras2 import layers, write
from tests.nets.foreign.nets import arrays_of, trained
from tests.training import copy_that_knows, one_thread, quick, run, run_and_stop, store

__all__ = ["one_thread", "quick", "store"]


@pytest.fixture(scope="module")
def first(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(store, tmp_path_factory.mktemp("runs") / "first").run


def test_the_first_weights_are_those_of_the_other(
    store: Store, first: Path, tmp_path: Path
) -> None:
    # A rate of next to nothing leaves them as they are.
    result = run(store, tmp_path / "next", "optimiser.lr=1e-12", start=first)
    before, after = (load_model(folder)[0] for folder in (first, result.run))
    for name, value in after.named_parameters():
        torch.testing.assert_close(value, before.get_parameter(name), atol=1e-6, rtol=0)
    sha = read_card(first / "card.json").weights_sha256
    assert sha is not None
    assert (
        f"initial weights from default-tiny (sha256 {sha[:12]})"
        in read_card(result.run / "card.json").trained_on
    )
    assert any("matched, 0 adapted" in note for note in result.notes)


def test_whom_the_other_has_seen_comes_with_it(store: Store, first: Path, tmp_path: Path) -> None:
    keys = json.loads((first / "provenance.json").read_text())
    keys["train_patients"] = [*keys["train_patients"], "someone else"]
    (first / "provenance.json").write_text(json.dumps(keys))
    second = run(store, tmp_path / "second", start=first).run
    third = run(store, tmp_path / "third", start=second).run
    for folder in (second, third):
        seen = RunRecord(folder).patients
        assert seen is not None
        assert "someone else" in seen.training


def test_patients_to_be_judged_on_may_not_be_known_already(
    store: Store, first: Path, tmp_path: Path
) -> None:
    judged = json.loads((first / "provenance.json").read_text())["validation_patients"][0]
    knows = copy_that_knows(first, tmp_path / "knows", judged)
    with pytest.raises(ConfigError, match=f"of this training: 1, first {judged}"):
        run(store, tmp_path / "next", start=knows)
    assert not (tmp_path / "next").exists()


def test_a_wider_network_continues_with_the_output_of_the_narrow_one(
    store: Store, first: Path, tmp_path: Path
) -> None:
    result = run(store, tmp_path / "wide", "network=u2netp", "optimiser.lr=1e-12", start=first)
    assert any("u2net-tiny widened to u2netp" in note for note in result.notes)
    narrow, wide = (load_model(folder)[0] for folder in (first, result.run))
    assert (narrow.spec.name, wide.spec.name) == ("u2net-tiny", "u2netp")
    old, new = (network.get_parameter("side1.weight").detach() for network in (narrow, wide))
    torch.testing.assert_close(new[:, : old.shape[1]], old, atol=1e-6, rtol=0)
    assert new[:, old.shape[1] :].abs().max() < 1e-6


def test_a_narrower_network_is_refused(store: Store, first: Path, tmp_path: Path) -> None:
    _, of_first = load_model(first)
    channels, regions = of_first.in_channels, len(of_first.regions)
    wide = build_model("u2netp", in_channels=channels, out_channels=regions)
    save_model(tmp_path / "wide", wide, of_first.model_copy(update={"network": "u2netp"}))
    with pytest.raises(ConfigError, match=r"network=u2netp, allowed u2net-tiny"):
        run(store, tmp_path / "next", start=tmp_path / "wide")


def test_other_regions_are_refused_with_the_option(
    store: Store, first: Path, tmp_path: Path
) -> None:
    _, of_first = load_model(first)
    regions = ("whole", "core", "enhancing")
    network = build_model("u2net-tiny", in_channels=of_first.in_channels, out_channels=3)
    save_model(tmp_path / "three", network, of_first.model_copy(update={"regions": regions}))
    what = r"regions=\[whole,core,enhancing\], allowed \[whole\]"
    with pytest.raises(ConfigError, match=what) as problem:
        run(store, tmp_path / "next", start=tmp_path / "three")
    assert "regions=[whole,core,enhancing]" in (problem.value.hint or "")


def test_eight_bit_weights(store: Store, first: Path, tmp_path: Path) -> None:
    network, first_card = load_model(first)
    save_model(tmp_path / "small", network, first_card, eight_bit=True)
    result = run(store, tmp_path / "next", "optimiser.lr=1e-12", start=tmp_path / "small")
    before, after = (load_model(folder)[0] for folder in (tmp_path / "small", result.run))
    for name, value in after.named_parameters():
        torch.testing.assert_close(value, before.get_parameter(name), atol=1e-6, rtol=0)


def test_a_missing_model_is_refused(store: Store, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="the model folder does not exist"):
        run(store, tmp_path / "next", start=tmp_path / "nowhere")


def test_a_file_with_the_authors_names(store: Store, tmp_path: Path) -> None:
    model = build_model("u2net-tiny", in_channels=3, out_channels=1)
    path = tmp_path / "photographs.pth"
    torch.save(model.state_dict(), path)
    result = run(store, tmp_path / "next", start=path)
    assert any("1 adapted" in note for note in result.notes)  # three colours, two sequences
    assert "photographs.pth" in read_card(result.run / "card.json").trained_on


@pytest.mark.slow
def test_a_run_that_goes_on_keeps_its_history(store: Store, first: Path, tmp_path: Path) -> None:
    out = tmp_path / "next"
    run_and_stop(store, out, start=first)
    done = run(store, out, resume=True)
    assert "initial weights from" in read_card(done.run / "card.json").trained_on
    seen, before = RunRecord(done.run).patients, RunRecord(first).patients
    assert seen is not None
    assert before is not None
    assert before.training <= seen.training


def test_the_epsilon_of_imported_weights_stays(store: Store, tmp_path: Path) -> None:
    """Weights of Keras have 1e-3; a run that is stopped and resumed must not fall back to 1e-5."""
    weights, model = tmp_path / "u2net.h5", tmp_path / "imported"
    write(weights, layers(arrays_of(trained(epsilon=1e-3))))
    sequences = store.manifest.sequences
    options = {"sequences": sequences, "regions": ("whole",), "size": 32}
    import_model(ImportOptions.model_validate({"file": weights, "out": model, **options}))
    run_and_stop(store, tmp_path / "next", start=model)
    result = run(store, tmp_path / "next", resume=True)
    network, card = load_model(result.run)
    assert card.norm_epsilon == network.epsilon == 1e-3
    assert "initial weights from u2net" in card.trained_on
