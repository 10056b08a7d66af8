"""Stories with a clock of their own, told to the same real server over HTTP as tests of the API."""

from collections.abc import Awaitable, Callable

import pytest

from loyalty.clock import SetClock
from tests.graphql.brand import NOON, Server
from tests.graphql.conftest import (
    anonymous,
    brand,
    http,
    make_brand,
    make_server,
    operator,
    rows,
    work,
)

__all__ = ["anonymous", "brand", "http", "make_brand", "make_server", "operator", "rows", "work"]


@pytest.fixture
async def server(make_server: Callable[..., Awaitable[Server]]) -> Server:
    """A server whose clock is this test's to move."""
    return await make_server(clock=SetClock(NOON))
