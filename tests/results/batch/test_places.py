"""Shards, claims, and what killed processes leave."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from gliomask.core.atomic import MARK
from gliomask.errors import InputError
from gliomask.results.batch.places import BatchFolder, Shard


@pytest.mark.parametrize(
    "text", ["", "1", "0/2", "3/2", "1/0", "a/b", "1/2/3", "-1/2", "١/٢", "1/ 2"]
)
def test_what_is_no_shard(text: str) -> None:
    with pytest.raises(InputError, match="not a shard"):
        Shard.parse(text)


def test_shards_share_the_cases_out() -> None:
    shards = [Shard.parse(f"{k}/3") for k in (1, 2, 3)]
    cases = list(range(10))
    parts = [cases[one.k - 1 :: one.n] for one in shards]
    assert parts == [[0, 3, 6, 9], [1, 4, 7], [2, 5, 8]]
    assert [str(one) for one in shards] == ["1/3", "2/3", "3/3"]


def test_the_last_run_of_a_shard_has_the_claim(tmp_path: Path) -> None:
    folder = BatchFolder(tmp_path)
    first, other = folder.take_over(Shard(1, 2)), folder.take_over(Shard(2, 2))
    assert first.stands()
    second = folder.take_over(Shard(1, 2))
    assert (first.stands(), second.stands(), other.stands()) == (False, True, True)
    second.path.unlink()
    assert not second.stands()


def test_old_leftovers_go_and_new_ones_stay(tmp_path: Path) -> None:
    folder = BatchFolder(tmp_path)
    old, new = tmp_path / f"{MARK}old", tmp_path / f"{MARK}new"
    for path in (old, new):
        path.mkdir()
        (path / "a_mask.nii.gz").touch()
    slow = tmp_path / f"{MARK}slow"  # another shard's, an hour into a case
    slow.mkdir()
    hour_ago = time.time() - 3600
    os.utime(slow, (hour_ago, hour_ago))
    kept = tmp_path / "a.json"
    kept.touch()
    for path in (old, kept):
        os.utime(path, (1e9, 1e9))
    folder.clear_leftovers(folder.take_over(Shard()))
    assert (old.exists(), new.exists(), kept.exists()) == (False, True, True)
    assert slow.exists()
