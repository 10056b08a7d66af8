"""`loyalty up`: the whole platform on one machine, and nothing left of it afterwards."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import NoReturn

from loyalty_app import running
from loyalty_app.alone import alone
from loyalty_app.children import Child, run_all
from loyalty_app.ports import require_free
from loyalty_app.prepare import prepare
from loyalty_app.problem import Problem
from loyalty_app.servers import servers
from loyalty_app.settings import Settings
from loyalty_app.watch import watch

LEFTOVER_SECONDS = 12.0  # so long a child of a killed `up` may take to notice and to end
INTERRUPTING = (signal.SIGTERM, signal.SIGHUP)

Welcome = Callable[[Settings], Awaitable[None]]


def up(settings: Settings, *, children: Sequence[Child], welcome: Welcome) -> None:
    """Start the servers, migrate, run the children and welcome; until Ctrl-C or SIGTERM.

    `welcome` is told the settings with every address once the database is ready, and runs beside
    the children: it may wait for what they serve.

    :raises Problem: something is in the way; whatever was started is stopped by then
    """
    _make_data_dir(settings)
    with suppress(KeyboardInterrupt, asyncio.CancelledError), _interruptible():
        _up(settings, children, welcome)


def _up(settings: Settings, children: Sequence[Child], welcome: Welcome) -> None:
    with alone(settings.data_dir):
        crashed = running.path_in(settings.data_dir).exists()
        require_free(
            settings.host,
            settings.port,
            setting="LOYALTY_PORT",
            patience=LEFTOVER_SECONDS if crashed else 0.0,
        )
        with servers(settings) as found:
            try:
                asyncio.run(_serve(found, children, welcome, _embedded(settings, found)))
            finally:
                running.forget(settings.data_dir)


def _embedded(given: Settings, found: Settings) -> dict[str, str]:
    """The addresses of the servers that are ours to watch."""
    pairs = {
        "PostgreSQL": (given.database_url, found.database_url),
        "Valkey": (given.redis_url, found.redis_url),
    }
    return {name: url for name, (own, url) in pairs.items() if own is None and url is not None}


async def _serve(
    settings: Settings, children: Sequence[Child], welcome: Welcome, servers: Mapping[str, str]
) -> NoReturn:
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, *INTERRUPTING):
        loop.add_signal_handler(number, task.cancel)
    settings, _ = await prepare(settings)
    running.write(settings.data_dir, settings.model_dump())
    going = [
        asyncio.create_task(_greet(welcome, settings)),
        asyncio.create_task(run_all(children, settings.environment())),
        asyncio.create_task(watch(servers)),
    ]
    try:
        done, _ = await asyncio.wait(going, return_when=asyncio.FIRST_COMPLETED)
        done.pop().result()
        raise AssertionError("none of them ends without a reason")
    finally:
        for one in going:
            one.cancel()
        await asyncio.gather(*going, return_exceptions=True)


async def _greet(welcome: Welcome, settings: Settings) -> None:
    await welcome(settings)
    await asyncio.Event().wait()  # only what went wrong ends it


def _make_data_dir(settings: Settings) -> None:
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        (settings.data_dir / "lock").touch()
    except OSError as error:
        raise Problem(
            f"Cannot write to the data folder {settings.data_dir.resolve()} ({error.strerror})",
            "Make it writable for you, or set LOYALTY_DATA_DIR to a folder that is",
        ) from None


@contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM or a closed terminal end the block as Ctrl-C does: what was started is stopped."""

    def interrupt(number: int, frame: object) -> NoReturn:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in INTERRUPTING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
