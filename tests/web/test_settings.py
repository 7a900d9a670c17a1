"""Where a server may listen, and under which names it answers."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from gliomask.config import build
from gliomask.config.serve import ServeOptions
from gliomask.errors import ConfigError
from gliomask.web.run import address

PEM = {"certificate": "c.pem", "key": "k.pem"}


@pytest.mark.parametrize(
    ("keys", "allowed"),
    [
        ({}, True),
        ({"token": False}, True),
        ({"host": "::1", "token": False}, True),
        ({"host": "localhost", "token": False}, True),
        ({"host": "127.8.9.1"}, True),
        ({"host": "0.0.0.0"}, False),  # noqa: S104 (refused)
        ({"host": "::"}, False),
        ({"host": "192.168.1.2"}, False),
        ({"host": "scanner.example"}, False),
        ({"host": "0.0.0.0", **PEM}, True),  # noqa: S104
        ({"host": "0.0.0.0", "behind_proxy": True}, True),  # noqa: S104
        ({"host": "0.0.0.0", "token": False, **PEM}, False),  # noqa: S104
        ({"host": "::", "token": False, "behind_proxy": True}, False),
        ({"certificate": "c.pem"}, False),
        ({"key": "k.pem"}, False),
        ({"workers": 0}, False),
        ({"limits": {"nothing": 1}}, False),
    ],
)
def test_a_network_needs_a_token_and_encryption(
    keys: dict[str, object], allowed: bool, tmp_path: Path
) -> None:
    if allowed:
        build(ServeOptions, {"data": tmp_path, **keys}, "serve")
        return
    with pytest.raises(ConfigError):
        build(ServeOptions, {"data": tmp_path, **keys}, "serve")


def test_the_address_to_open(tmp_path: Path) -> None:
    def opened(**keys: object) -> str:
        return address(ServeOptions.model_validate({"data": tmp_path, "port": 80, **keys}), "t/k")

    assert opened() == "http://127.0.0.1:80/?token=t/k"
    assert opened(host="::1") == "http://[::1]:80/?token=t/k"
    assert opened(names=("a.org",), behind_proxy=True) == "https://a.org/?token=t/k"
    everywhere = opened(host="0.0.0.0", **PEM)  # noqa: S104
    assert everywhere == f"https://{socket.getfqdn()}:80/?token=t/k"
    assert opened(host="10.0.0.1", **PEM) == "https://10.0.0.1:80/?token=t/k"


def test_names_that_are_answered(tmp_path: Path) -> None:
    own = ServeOptions(data=tmp_path).host_names
    assert own == {"localhost", "127.0.0.1", "::1"}
    named = ServeOptions(
        data=tmp_path, names=("Scans.Example",), behind_proxy=True, host="10.0.0.1"
    )
    assert {"scans.example", "10.0.0.1"} < named.host_names
    everywhere = "0.0.0.0"  # noqa: S104
    open_to_all = ServeOptions(data=tmp_path, host=everywhere, behind_proxy=True)
    assert everywhere not in open_to_all.host_names


def test_the_printed_address_belongs_to_the_user_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def owner(**keys: object) -> str:
        made = build(ServeOptions, {"data": tmp_path, **keys}, "serve")
        return made.owner

    for name, expected in (("ann", "ann"), ("a\nb", "this computer"), ("a" * 101, "this computer")):
        monkeypatch.setenv("LOGNAME", name)
        assert owner() == expected
    assert owner(owner="Dr Ann") == "Dr Ann"
    with pytest.raises(ConfigError, match="owner"):
        owner(owner="")

    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 1234")

    monkeypatch.setattr("getpass.getuser", nameless)
    assert owner() == "this computer"
