"""The ways to serve that the tests of the interfaces run against."""

import contextlib

import pytest

from tests.apps.serve.fakes import client_of
from tests.apps.serve.server import free_port, serving, write_gray


@contextlib.contextmanager
def served_in_process(root):
    with client_of(root) as client:
        yield client


@contextlib.contextmanager
def served_by_workers(root):
    with _client_of_command(root, "--workers", 2) as client:
        yield client


@contextlib.contextmanager
def served_on_ray(root):
    words = ("--ray", "local", "--replicas", 2)
    with _client_of_command(root, *words, port=free_port()) as client:
        yield client


@contextlib.contextmanager
def _client_of_command(root, *arguments, port=0):
    import httpx

    (root / "gray").mkdir()
    write_gray(root / "gray")
    with (
        serving(root, root / "gray", *arguments, port=port) as server,
        httpx.Client(base_url=server.url, timeout=60) as client,
    ):
        yield client


@pytest.fixture(
    scope="module",
    params=[
        served_in_process,
        pytest.param(served_by_workers, marks=pytest.mark.nightly),
        pytest.param(served_on_ray, marks=[pytest.mark.nightly, pytest.mark.extra("ray")]),
    ],
)
def client(request, tmp_path_factory):
    """A client of the classifier of brightness `gray`."""
    with request.param(tmp_path_factory.mktemp("models")) as client:
        yield client
