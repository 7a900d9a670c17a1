"""Requests that nobody would think of, drawn from the schema of the API by schemathesis.

With a token and without one. Thorough runs: ``-m slow``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.core.result import Ok

from gliomask.web.app import make_app
from gliomask.web.service import Service
from tests.web.corrected import done_job
from tests.web.service import API, running, token_of

QUICK, THOROUGH = 50, 1000
OPERATIONS = 25
PATIENCE_S = 300
"""For a machine that does other things as well; schemathesis gives up after 10 seconds."""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    limits = {"open_uploads": 10_000, "queued_jobs": 100_000, "queued_jobs_per_owner": 100_000}
    with running(tmp_path, limits=limits) as one:
        one.supervisor.problem = ""  # as if there were workers: 503 would be their fault
        yield one


def operations(service: Service) -> list[Any]:
    schema = schemathesis.openapi.from_asgi(
        f"{API}/openapi.json", make_app(service), headers={"host": "127.0.0.1"}
    )
    found = [one.ok() for one in schema.get_all_operations() if isinstance(one, Ok)]
    assert len(found) == OPERATIONS
    return found


def fuzz(service: Service, examples: int, headers: dict[str, str]) -> None:
    for operation in operations(service):
        job = done_job(service)

        @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def one(case: Any) -> None:
            if "job" in case.path_parameters and hash(str(case.path_parameters)) % 2:
                case.path_parameters["job"] = job  # noqa: B023 (called at once)
            case.call_and_validate(headers=headers, timeout=PATIENCE_S)

        one()


def headers_of(service: Service, *, signed_in: bool) -> dict[str, str]:
    token = {"authorization": f"Bearer {token_of(service, 'ann', 'admin')}"} if signed_in else {}
    return {"host": "127.0.0.1", **token}


@pytest.mark.parametrize(("signed_in", "examples"), [(True, QUICK), (False, 10)])
def test_no_request_breaks_it(service: Service, *, signed_in: bool, examples: int) -> None:
    fuzz(service, examples, headers_of(service, signed_in=signed_in))


@pytest.mark.slow
@pytest.mark.parametrize("signed_in", [True, False])
def test_no_request_of_very_many_breaks_it(service: Service, *, signed_in: bool) -> None:
    fuzz(service, THOROUGH, headers_of(service, signed_in=signed_in))
