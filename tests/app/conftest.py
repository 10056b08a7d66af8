"""A serving process, one for each module of tests."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from loyalty_app.settings import Settings
from tests.faults.api import Api


@pytest.fixture(scope="module")
async def settings(new_dsn: Callable[[], Any], valkey_url: str) -> Settings:
    dsn = await new_dsn()
    return Settings(
        database_url=dsn.admin,
        app_database_url=dsn.app,
        worker_database_url=dsn.worker,
        redis_url=valkey_url,
        operator_secret="canary-operator-secret-0123456789abcdef",
    )


@pytest.fixture(scope="module")
async def api(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    made = Api("api", settings=settings.environment(), folder=tmp_path_factory.mktemp("api"))
    made.start()
    await made.serves()
    yield made
    await made.stop()
