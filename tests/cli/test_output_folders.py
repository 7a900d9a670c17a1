"""Where results go when nobody says."""

from __future__ import annotations

from pathlib import Path

import pytest

from gliomask.cli.output_folders import place_for


@pytest.mark.parametrize(
    ("sources", "place"),
    [
        (("study.zip",), "study-masks"),
        (("in/Anna_flair.NII.GZ",), "Anna_flair-masks"),
        (("data/1.2.840",), "1.2.840-masks"),
        (("lgg.store",), "lgg-masks"),
        (("/",), "masks"),
        ((), "masks"),
        (("a", "b"), "masks"),
    ],
)
def test_it_is_named_after_the_one_source(sources: tuple[str, ...], place: str) -> None:
    assert place_for([Path(source) for source in sources], "masks") == Path(place)


def test_the_working_directory_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "anna").mkdir()
    monkeypatch.chdir(tmp_path / "anna")
    assert place_for([Path()], "masks") == Path("anna-masks")
