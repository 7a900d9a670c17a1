"""A service with a stand-in for its workers, and a client of it; modules may define their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from gliomask.web.service import Service
from tests.web.corrected import work_here
from tests.web.service import client, running, token_of


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A new service for each test, whose jobs run in the test's process."""
    with running(tmp_path / "data") as one:
        work_here(one)
        yield one


@pytest.fixture
def ann(service: Service) -> TestClient:
    """A client that may read and submit."""
    return client(service, token_of(service))
