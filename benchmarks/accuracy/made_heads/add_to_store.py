"""Adds made heads to the training parts of a store.

    python -m benchmarks.accuracy.made_heads.add_to_store STORE OUT NAME=MADE...

MADE are stores of made heads (``whole_heads``, ``stripped_heads``), NAME the data set that they
count as, in ``sampling.patient_weights``. A made head is in the training part of each fold that has
its patient there, and in no other part.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
from pathlib import Path
from typing import Any


def add(store: Path, out: Path, made: dict[str, Path]) -> None:
    """Write the store ``out``; files are linked where the file system can do that."""
    manifest, split = _read(store / "manifest.json"), _read(store / "split.json")
    patients = {case["id"]: case["patient"] for case in manifest["cases"]}
    parts = [split, *split["folds"]]
    trained = [set(part["train"]) for part in parts]
    out.mkdir()
    for name, other in {"": store, **made}.items():
        shutil.copytree(
            other / "patients", out / "patients", copy_function=_link, dirs_exist_ok=True
        )
        if not name:
            continue
        added = _read(other / "manifest.json")
        for kind in ("cases", "crossing"):
            for case in added[kind]:
                manifest[kind].append({**case, "source": name})
        for case in added["cases"]:
            patient = patients[case["id"].split("-", 1)[1]]
            for part, names in zip(parts, trained, strict=True):
                if patient in names:
                    part["train"].append(case["patient"])
    for kind in ("cases", "crossing"):
        manifest[kind].sort(key=lambda case: case["id"])
    for part in parts:
        part["train"] = sorted(set(part["train"]))
    _write(out / "manifest.json", {**manifest, "name": out.name})
    _write(out / "split.json", split)


def _link_patients(store: Path, out: Path) -> None:
    place = out / "patients"
    shutil.copytree(store / "patients", place, copy_function=_link, dirs_exist_ok=True)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copy2(source, target)


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("store", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("made", nargs="+", metavar="NAME=MADE")
    options = parser.parse_args()
    made = dict(word.split("=", 1) for word in options.made)
    add(options.store, options.out, {name: Path(path) for name, path in made.items()})


if __name__ == "__main__":
    main()
