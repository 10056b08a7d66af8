"""The driver of the property tests."""

from collections.abc import Iterator

import pytest

from loyalty_app.logins import Addresses

from .driver import Driver


@pytest.fixture
def driver(dsn: Addresses) -> Iterator[Driver]:
    made = Driver(dsn)
    yield made
    made.close()
