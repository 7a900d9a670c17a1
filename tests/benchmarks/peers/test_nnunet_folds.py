"""nnU-Net's network in our training: it is trained, evaluated and compared with ours."""

from __future__ import annotations

import csv
import importlib.util
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from gliomask.core.split import Parts
from gliomask.errors import ConfigError
from gliomask.learning.ema import MovingAverage
from gliomask.results.evaluation import METRICS
from gliomask.store.manifest import SPLIT, write_split
from gliomask.store.store import Store, open_store
from gliomask.workflows.compare import CompareOptions, compare_evaluations
from gliomask.workflows.evaluate import EvaluateOptions, evaluate
from gliomask.workflows.train import TrainOptions, train
from tests.learning.stores import write_store

if importlib.util.find_spec("dynamic_network_architectures") is None:
    pytest.skip("dynamic-network-architectures is not installed", allow_module_level=True)

from benchmarks.peers.nnunet_folds import EVALUATION, WEIGHTS, _as_ours, load_peer, main
from benchmarks.peers.nnunet_network import PeerNetwork, first_network
from gliomask.config import Recipe

TINY = ("network=u2net-tiny", "input.size=32", "batch_size=4", "epochs=2", "ema=0.9")
NAMED = "fold0"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Of seven patients and two folds."""
    path = tmp_path_factory.mktemp("data") / "store"
    split = write_store(path).split
    ids = tuple(sorted({*split.holdout.train, *split.holdout.validation, *split.holdout.test}))
    folds = Parts(ids[2:], ids[1:2], ids[:1]), Parts(ids[3:], ids[:1], ids[1:3])
    write_split(path / SPLIT, replace(split, folds=folds))
    return open_store(path)


@pytest.fixture(scope="module")
def out(store: Store) -> Path:
    """Both folds, trained and evaluated."""
    path = store.path.with_name("peers")
    for fold in ("0", "1"):
        main([str(store.path), str(path), "--fold", fold, "--set", *TINY])
    return path


def table(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def test_every_map_has_full_size_and_the_finest_is_first() -> None:
    peer = PeerNetwork(2, 3, 32).eval()
    images = torch.randn(2, 2, 32, 32)
    with torch.no_grad():
        maps, finest = peer(images), peer.network(images)[0]
    assert [one.shape for one in maps] == [(2, 3, 32, 32)] * 3  # of four stages
    assert torch.equal(maps[0], finest)


def test_an_average_moves_every_weight_once() -> None:
    peer = PeerNetwork(1, 1, 32)
    average = MovingAverage(_as_ours(peer), 0.5)
    with torch.no_grad():
        for weight in peer.parameters():
            weight.add_(1)
    before = [weight.clone() for weight in average.network.parameters()]
    average.follow(10**6)
    for old, new in zip(before, average.network.parameters(), strict=True):
        torch.testing.assert_close(new, old + 0.5)


def test_weights_come_back_by_their_names() -> None:
    one, other = PeerNetwork(1, 1, 32).eval(), PeerNetwork(1, 1, 32).eval()
    other.load_state_dict(one.state_dict())
    images = torch.randn(1, 1, 32, 32)
    with torch.no_grad():
        assert torch.equal(one(images)[0], other(images)[0])
    held = one.state_dict()
    held.pop(min(held))
    with pytest.raises(RuntimeError, match="other weights than expected"):
        other.load_state_dict(held)


def test_the_seed_gives_the_first_weights() -> None:
    recipe = Recipe.model_validate({"input": {"size": 32}})
    one, other = first_network(recipe, 1), first_network(recipe, 1)
    later = first_network(recipe.model_copy(update={"seed": 1}), 1)
    for name, weight in one.state_dict().items():
        assert torch.equal(weight, other.state_dict()[name])
    assert any(not torch.equal(w, later.state_dict()[n]) for n, w in one.state_dict().items())


def test_it_learns(out: Path) -> None:
    rows = table(out / NAMED / "history.csv")
    assert len(rows) == 2
    assert float(rows[1]["train_loss"]) < float(rows[0]["train_loss"])


def test_the_kept_network_is_that_of_the_best_epoch(store: Store, out: Path) -> None:
    predictor, fold = load_peer(store, out / NAMED)
    assert fold == 0
    best = max(float(row["validation_dice"]) for row in table(out / NAMED / "history.csv"))
    assert predictor.card.metrics["mean_dice"] == pytest.approx(best, abs=1e-5)


def test_its_scores_are_compared_with_ours(store: Store, out: Path, tmp_path: Path) -> None:
    run, ours = tmp_path / "run", tmp_path / "ours"
    train(TrainOptions(store=store.path, out=run, changes=TINY, fold=0, device="cpu"))
    evaluate(EvaluateOptions(source=store.path, model=str(run), out=ours, report=False))
    both = (ours, out / NAMED / EVALUATION)
    options = CompareOptions(evaluations=both, out=tmp_path / "compared", metrics=("dice",))
    (found,) = compare_evaluations(options).comparison.differences
    assert found.n == 1


def test_folds_are_evaluated_together(store: Store, out: Path) -> None:
    main([str(store.path), str(out), "--evaluate"])
    folds = [row for fold in (NAMED, "fold1") for row in table(out / fold / EVALUATION / METRICS)]
    assert [row["patient"] for row in folds] == ["patient0", "patient1", "patient2"]
    assert table(out / EVALUATION / METRICS) == folds


def test_what_was_stopped_goes_on(store: Store, out: Path, tmp_path: Path) -> None:
    run = tmp_path / NAMED
    shutil.copytree(out / NAMED, run)
    shutil.rmtree(run / EVALUATION)  # as if it had been stopped before that was written
    (run / f".{EVALUATION}.cases.journal").unlink()
    main([str(store.path), str(tmp_path), "--fold", "0"])
    assert table(run / "history.csv") == table(out / NAMED / "history.csv")
    again = table(run / EVALUATION / METRICS)
    assert again == table(out / NAMED / EVALUATION / METRICS)


def test_an_evaluated_fold_is_not_trained_again(
    store: Store, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (out / NAMED / WEIGHTS).stat().st_mtime_ns
    main([str(store.path), str(out), "--fold", "0", "--set", *TINY])
    assert "already exists" in capsys.readouterr().out
    assert (out / NAMED / WEIGHTS).stat().st_mtime_ns == before


def test_another_store_is_refused(out: Path, tmp_path: Path) -> None:
    other = write_store(tmp_path / "other", train=5)
    with pytest.raises(ConfigError, match="trained on another store"):
        load_peer(open_store(other.path), out / NAMED)


def test_without_a_fold_there_is_nothing_to_evaluate(store: Store, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no evaluated fold"):
        main([str(store.path), str(tmp_path), "--evaluate"])
