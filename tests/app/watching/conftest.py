"""An API and a worker that are watched: by metrics, by logs as JSON, by traces."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from loyalty_app.log_format import LogFormat
from loyalty_app.ports import free_port
from loyalty_app.settings import Settings
from tests.app.watching.collector import Collector
from tests.faults.api import Api
from tests.faults.brand import Brand, make_brand
from tests.faults.worker import Worker


@dataclass(frozen=True, slots=True)
class Watched:
    settings: Settings
    brand: Brand
    api: Api
    worker: Worker
    api_metrics: str
    worker_metrics: str
    collector: Collector


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with Collector() as running:
        yield running


@pytest.fixture(scope="module")
async def watched(
    new_dsn: Callable[[], Any],
    valkey_url: str,
    collector: Collector,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Watched]:
    dsn = await new_dsn()
    settings = Settings(
        database_url=dsn.admin,
        app_database_url=dsn.app,
        worker_database_url=dsn.worker,
        audit_database_url=dsn.audit,
        redis_url=valkey_url,
        operator_secret="canary-operator-secret-0123456789abcdef",
        log_format=LogFormat.JSON,
        log_level="INFO",
    )
    brand = await make_brand(settings, 3)
    folder: Path = tmp_path_factory.mktemp("watched")
    ports = free_port(), free_port()
    common = {
        **settings.environment(),
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "LOYALTY_AUDIT_HOURS": "24",
    }
    api = Api("api", settings={**common, "LOYALTY_METRICS_PORT": str(ports[0])}, folder=folder)
    worker = Worker(
        "worker", settings={**common, "LOYALTY_METRICS_PORT": str(ports[1])}, folder=folder
    )
    api.start()
    worker.start()
    await api.serves()
    urls = [f"http://127.0.0.1:{port}/metrics" for port in ports]
    yield Watched(settings, brand, api, worker, urls[0], urls[1], collector)
    await api.stop()
    await worker.stop()
