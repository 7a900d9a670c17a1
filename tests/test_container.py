"""The Dockerfile and its installation, as far as they can be tried without a Docker daemon.

``make dist`` runs ``container/install.sh`` for real.
"""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from gliomask.cli.main import app

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def instructions() -> list[tuple[str, str]]:
    """(instruction, its words) of the Dockerfile, lines that are continued as one."""
    text = (ROOT / "Dockerfile").read_text()
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    parted = [line.split(None, 1) for line in lines if line and not line.startswith("#")]
    return [(name, words) for name, words in parted]


def last_stage() -> list[tuple[str, str]]:
    steps = instructions()
    start = max(k for k, (name, _) in enumerate(steps) if name == "FROM")
    return steps[start:]


def words_of(name: str) -> list[str]:
    """The exec form of an instruction of the last stage."""
    (words,) = [words for key, words in last_stage() if key == name]
    found: list[str] = json.loads(words[words.index("[") :])
    return found


def test_it_runs_as_a_user_without_privileges() -> None:
    steps = dict(last_stage())
    assert steps["USER"] == "1000"
    order = [name for name, _ in last_stage()]
    assert order.index("USER") > max(k for k, name in enumerate(order) if name in ("RUN", "COPY"))


def test_its_commands_are_ones_of_gliomask() -> None:
    assert words_of("ENTRYPOINT") == ["gliomask"]
    program, name, *options = words_of("HEALTHCHECK")
    assert (program, name) == ("gliomask", "doctor")
    command: Any = typer.main.get_command(app)
    context = command.commands[name].make_context(name, options)  # fails on an unknown option
    assert str(context.params["out"]) == "/tmp"  # noqa: S108


def test_what_it_copies_is_in_the_context() -> None:
    """Everything is left out of the context but what .dockerignore names."""
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert ignored[0] == "*"
    kept = [line[1:] for line in ignored if line.startswith("!")]
    assert {"src", "container", "constraints.txt", "pyproject.toml", "README.md"} <= set(kept)
    assert all((ROOT / name).exists() for name in kept)
    assert {"LICENSE", *PROJECT["license-files"]} <= set(kept)


def test_its_extras_are_ones_of_the_package() -> None:
    (step,) = [words for name, words in instructions() if name == "RUN" and "install.sh" in words]
    extras = step.split()[-1].split(",")
    assert set(extras) <= PROJECT["optional-dependencies"].keys()


@pytest.mark.parametrize(
    ("arguments", "target"),
    [
        (["source", "made"], "source"),
        (["source", "made", "dicom,jpeg"], "source[dicom,jpeg]"),
        (["source", "made", "", "dist/g.whl"], "dist/g.whl"),
    ],
)
def test_the_installation_step(arguments: list[str], target: str, tmp_path: Path) -> None:
    """By a Python that writes down how it is called."""
    (tmp_path / "made" / "bin").mkdir(parents=True)
    for python in (tmp_path / "python", tmp_path / "made" / "bin" / "python"):
        python.write_text('#!/bin/sh\necho "$@" >> calls\n')
        python.chmod(0o755)
    words = ["sh", str(ROOT / "container" / "install.sh"), *arguments]
    environment = {"PATH": "/usr/bin:/bin", "PYTHON": "./python", "PIP_ARGS": "--pre -q"}
    subprocess.run(words, cwd=tmp_path, env=environment, check=True)
    made, installed, tried = (tmp_path / "calls").read_text().splitlines()
    assert made == "-m venv made"
    assert installed.endswith(f"install -q -c source/constraints.txt --pre -q {target}")
    assert tried == "source/container/try_installation.py"


def test_a_failed_step_ends_the_installation(tmp_path: Path) -> None:
    words = ["sh", str(ROOT / "container" / "install.sh"), "source", "made"]
    done = subprocess.run(words, cwd=tmp_path, env={"PATH": "/usr/bin:/bin", "PYTHON": "false"})
    assert done.returncode == 1


KEYS = {
    "abstract", "authors", "cff-version", "keywords", "license", "message", "references", "title",
    "type", "version",
}  # fmt: skip
REFERENCE = {"authors", "doi", "end", "journal", "start", "title", "type", "volume", "year"}


def test_the_citation_is_valid_and_of_this_version() -> None:
    """By the rules of the Citation File Format 1.2.0 for the keys that it uses."""
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert cited.keys() == KEYS
    assert (cited["cff-version"], cited["type"]) == ("1.2.0", "software")
    assert str(cited["version"]) == PROJECT["version"]
    assert cited["license"] == PROJECT["license"]
    assert cited["authors"] == [{"name": author["name"]} for author in PROJECT["authors"]]
    for reference in cited["references"]:
        assert reference.keys() <= REFERENCE
        assert reference["type"] == "article"
        assert isinstance(reference["year"], int)
        assert re.fullmatch(r"10\.\d{4,}/\S+", reference["doi"])
        assert all(
            author.keys() == {"family-names", "given-names"} for author in reference["authors"]
        )
