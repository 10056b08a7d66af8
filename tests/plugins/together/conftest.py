"""Points, tiers, cashback and subscriptions of one brand, with workers behind."""

import pytest

from loyalty_tenants.model_apps import prepare_models
from tests.kernel.conftest import make_world
from tests.kernel.jobs.conftest import hands, worker_database

__all__ = ["hands", "make_world", "worker_database"]


@pytest.fixture(scope="session", autouse=True)
async def _models() -> None:
    await prepare_models()
