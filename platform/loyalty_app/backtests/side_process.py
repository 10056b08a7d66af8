"""The process of one side: told what to do in one line on standard input, answers in lines.

    {"done": 1000, "total": 155848}      as it goes
    {"side": {...}, "compared": 0, "differences": []}     at last

It ends when its standard input closes, and it is polite: whoever serves has the processor first.
"""

import asyncio
import os
import signal
import sys
import threading
from contextlib import suppress
from typing import Any

import orjson

POLITE = 10


def main() -> None:
    from loyalty_app.garbage import collect_seldom
    from loyalty_app.settings import Settings

    line = orjson.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    os.nice(POLITE)
    collect_seldom()
    asyncio.run(_walk(Settings(), line))


async def _walk(settings: Any, line: dict[str, Any]) -> None:
    from loyalty_app.backtests.one_side import one_side
    from loyalty_app.backtests.order import Order, Which
    from loyalty_app.backtests.reading import reading

    async def progress(done: int, total: int) -> None:
        _say({"done": done, "total": total})

    async with reading(settings) as reader:
        order, which = Order.load(line["order"]), Which(line["which"])
        walked = await one_side(reader, order, which, progress)
    _say(
        {
            "side": walked.side.dump(), "compared": walked.comparison.compared,
            "differences": walked.comparison.differences[:100],
            "differing": len(walked.comparison.differences),
        }
    )  # fmt: skip


def _say(what: dict[str, Any]) -> None:
    sys.stdout.buffer.write(orjson.dumps(what, option=orjson.OPT_APPEND_NEWLINE))
    sys.stdout.buffer.flush()


def _end_with_parent() -> None:
    with suppress(OSError):
        while os.read(0, 1024):
            pass
    os.kill(os.getpid(), signal.SIGKILL)  # it holds nothing but a reading transaction


if __name__ == "__main__":
    main()
