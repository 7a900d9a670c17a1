"""``gliomask serve`` and its group: options, tokens, the audit log."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from gliomask.config.serve import ServeOptions
from gliomask.web import run as runner
from gliomask.web.audit import Audit
from gliomask.web.database import open_database
from gliomask.web.tokens import Access, Tokens
from tests.commands import run


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[ServeOptions]:
    """The options of the servers that were started."""
    started: list[ServeOptions] = []
    monkeypatch.setattr(runner, "serve", lambda options, _ready: started.append(options))
    return started


def test_options_of_the_server(
    served: list[ServeOptions], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = "--port 0 --name a.org --name b.org --no-token --workers 2 --device cpu --engine torch"
    limits = ("--limit", "file_bytes=500MB", "--limit", "tries=1")
    models = ("--model", "u2netp-lgg", "--model", "u2netp-glioma")
    assert run(monkeypatch, "serve", "--data", tmp_path, *words.split(), *limits, *models) == 0
    (options,) = served
    assert (options.data, options.port, options.workers) == (tmp_path, 0, 2)
    assert (options.names, options.token) == (("a.org", "b.org"), False)
    assert (options.device, options.engine) == ("cpu", "torch")
    assert (options.limits.file_bytes, options.limits.tries) == (500_000_000, 1)
    assert [folder.name for folder in options.models] == ["u2netp-lgg", "u2netp-glioma"]


def test_a_server_without_options(
    served: list[ServeOptions], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert run(monkeypatch, "serve") == 0
    assert served == [ServeOptions(data=tmp_path / "gliomask" / "serve")]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--workers 0", "(--workers=0, allowed 1 or more)"),
        ("--limit tries=0", "(--limit tries=0, allowed 1 or more)"),
        ("--limit tries", "(--limit=tries, allowed NAME=VALUE)"),
        ("--limit trys=1", "did you mean 'limits.tries'?"),
        ("--host 10.0.0.1 --no-token", "(--host=10.0.0.1, allowed 127.0.0.1)"),
        ("--certificate c.pem", "(--certificate=c.pem)"),
        ("--data --no-token", "(--data=--no-token)"),
        ("token create ann --days 0", "(--days=0, allowed more than 0)"),
        (
            "token create ann --scopes read,root",
            "(--scopes=root, allowed read, submit, review, monai, admin)",
        ),
        ("token revoke 12345678", "no valid token"),
        ("token make", "No such command"),
    ],
)
def test_what_is_wrong_is_said_with_the_option(
    words: str,
    said: str,
    served: list[ServeOptions],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert run(monkeypatch, "serve", *words.split()) == 2
    assert said in capsys.readouterr().err
    assert served == []


def test_tokens(
    served: list[ServeOptions],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    data = ("--data", tmp_path)
    words = ("ann", "--scopes", "read, admin", "--days", "2")
    assert run(monkeypatch, "serve", "token", "create", *words, *data) == 0
    token = capsys.readouterr().out.strip()
    tokens = Tokens(open_database(tmp_path))
    assert tokens.access(token) == Access("ann", frozenset(("read", "admin")))
    assert run(monkeypatch, "serve", "token", "list", "--json", *data) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["owner"], row["state"]) == ("ann", "valid")
    assert run(monkeypatch, "serve", "token", "revoke", row["id"], *data) == 0
    assert tokens.access(token) is None
    assert run(monkeypatch, "serve", "token", "list", *data) == 0
    assert "revoked" in capsys.readouterr().out
    assert served == []


def test_the_audit_log_is_shown_and_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    database = open_database(tmp_path)
    for job in ("job-a", "job-b"):
        Audit(database).add("ann", "job.create", job)
    assert run(monkeypatch, "serve", "audit", "--data", tmp_path) == 0
    assert "job.create" in capsys.readouterr().out
    with sqlite3.connect(database.path) as other:
        other.execute("UPDATE audit SET actor='bob' WHERE object='job-b'")
    other.close()
    assert run(monkeypatch, "serve", "audit", "--json", "--data", tmp_path) == 2
    shown = capsys.readouterr()
    assert "an entry was changed, or one before it was deleted (entry=2)" in shown.err
    found = json.loads(shown.out)
    assert found["broken_at"] == 2
    assert [entry["actor"] for entry in found["entries"]] == ["ann", "bob"]
