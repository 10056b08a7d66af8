"""Where Prometheus finds what a process counts: `/metrics`, on a port of its own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import REGISTRY, CollectorRegistry, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector

from loyalty_app.ports import require_free

SHARED = "PROMETHEUS_MULTIPROC_DIR"


@contextmanager
def metrics(host: str, port: int) -> Iterator[None]:
    """Answer while the block runs; nothing where the port is 0.

    Processes of one machine that share a folder (`PROMETHEUS_MULTIPROC_DIR`) are counted together,
    and any of them answers for all.

    :raises Problem: the port is taken
    """
    if not port:
        yield
        return
    require_free(host, port, setting="LOYALTY_METRICS_PORT")
    server, thread = start_http_server(port, host, registry())
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def registry() -> CollectorRegistry:
    if not os.environ.get(SHARED):
        return REGISTRY
    shared = CollectorRegistry()
    MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
    return shared
