"""What a large batch does while Postgres works on what it was asked."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from loyalty.codec import Codec
from loyalty.settlement.request import Request

BREATH = 100  # requests; then everybody else in this process has a turn
T = TypeVar("T")


async def meanwhile(asked: Coroutine[Any, Any, T], work: Coroutine[Any, Any, None]) -> T:
    """The answer to what is asked; `work` is done while it is waited for."""
    asking = asyncio.create_task(asked)
    try:
        await asyncio.sleep(0)  # what is asked is sent
        await work
        return await asking
    except BaseException:
        work.close()
        asking.cancel()  # nobody else may use its connection before it ended
        await asyncio.gather(asking, return_exceptions=True)
        raise


async def breathe() -> None:
    """Everybody else has a turn: what came in is read, who waited for it goes on and is done."""
    for _ in range(3):
        await asyncio.sleep(0)


async def write_out(requests: Sequence[Request], codec: Codec) -> None:
    """Work the payloads out, which depend on nothing that is stored."""
    for index, request in enumerate(requests):
        if index % BREATH == 0:
            await asyncio.sleep(0)
        try:  # noqa: SIM105 - `suppress` is an object to make, enter and leave for each of them
            request.payload(codec)
        except Exception:  # it fails again in its turn, and there it is its own failure
            pass
