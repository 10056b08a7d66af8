"""The API in a process of its own on loopback, by the clock of the replay."""

import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess

import httpx

from loyalty_app.demo.shared_clock import SharedClock
from loyalty_app.demo.timeline import YEAR_START
from loyalty_app.garbage import collect_seldom
from loyalty_app.problem import Problem
from loyalty_app.settings import Settings

READY_SECONDS = 30.0
STOP_SECONDS = 10.0


@contextmanager
def api_process(settings: Settings) -> Iterator[tuple[str, SharedClock]]:
    """The address of a running API and its clock, while the block runs.

    :raises Problem: it does not start
    """
    context = multiprocessing.get_context("spawn")
    clock = SharedClock(context, YEAR_START)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        # asyncio does so for the listeners that it makes itself; without, an answer waits 40 ms.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        process = context.Process(
            target=_serve, args=(settings.unrationed(), clock, listening), daemon=True
        )
        process.start()
    try:
        _wait(url, process)
        yield url, clock
    finally:
        process.terminate()
        process.join(STOP_SECONDS)
        process.kill()


def _wait(url: str, process: BaseProcess) -> None:
    give_up = time.monotonic() + READY_SECONDS
    while process.is_alive() and time.monotonic() < give_up:
        try:
            if httpx.get(f"{url}/healthz", timeout=1.0, trust_env=False).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise Problem("The API of the replay did not start", "What it says above is the reason")


def _serve(settings: Settings, clock: SharedClock, listening: socket.socket) -> None:
    import uvicorn

    from loyalty_app.asgi import create_app

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's: it ends this one
    threading.Thread(target=_end_with_parent, daemon=True).start()
    app = create_app(settings, clock=clock)
    collect_seldom()
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        reset_contextvars=True,
    )
    uvicorn.Server(config).run(sockets=[listening])


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
