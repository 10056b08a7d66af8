"""`loyalty serve` and `loyalty worker` that die between the steps of an exchange: tests alone.

    python mortal_partner.py <serve | worker>

It imports everything, forks, and lets the child serve; a child that died is followed by another.
Each step kills so many processes as the folder in LOYALTY_TEST_STEPS has no file of yet: the file
is made first, so what was reached can be counted. Where there is a file `calm`, nobody dies; where
there is one called `dumb`, nobody asks for a credit, so that what is sent stays to be called off.
"""

import os
import random
import signal
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from loyalty_app import cli
from loyalty_app.asgi import create_app
from loyalty_app.worker import work
from loyalty_partners.remote import leg_row, receiving, restoring
from loyalty_partners.remote.carrying import Carrier
from loyalty_partners.remote.speaking import Silence

STEPS = (
    "before creditExchange is asked",
    "after creditExchange was answered",
    "before voidExchange is asked",
    "after voidExchange was answered",
    "before confirmExchanges is asked",
    "after confirmExchanges was answered",
    "after it was noted that it is credited",
    "after the points are back",
    "before it is credited",
    "after it is credited, before that is said",
    "after it is called off, before that is said",
    "after it is settled, before that is said",
    "after it is taken back, before that is said",
)
LIKELY = 0.4
LOADED = create_app, work  # so that a child need not


class Fate:
    def __init__(self, folder: Path, each: int) -> None:
        self._folder = folder
        self._each = each

    def meet(self, step: str) -> None:
        """Die here, unless enough did."""
        if step not in STEPS or (self._folder / "calm").exists() or random.random() > LIKELY:
            return
        for number in range(self._each):
            try:
                (self._folder / f"{STEPS.index(step):02d}-{number}").touch(exist_ok=False)
            except FileExistsError:
                continue
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, what: Any, name: str, before: str = "", after: str = "") -> None:
        """Have a function of a module or a class be such a step."""
        inner: Callable[..., Awaitable[Any]] = getattr(what, name)

        async def stepping(*args: Any, **more: Any) -> Any:
            self.meet(before)
            answer = await inner(*args, **more)
            self.meet(after)
            return answer

        setattr(what, name, stepping)

    def around_calls(self) -> None:
        say = Carrier.say

        async def saying(carrier: Carrier, field: str, document: str, given: Any) -> Any:
            if field == "creditExchange" and (self._folder / "dumb").exists():
                raise Silence("it was not asked")
            self.meet(f"before {field} is asked")
            answer = await say(carrier, field, document, given)
            self.meet(f"after {field} was answered")
            return answer

        Carrier.say = saying  # type: ignore[assignment, method-assign]


def mortal() -> None:
    leg_row.LEASE = timedelta(seconds=1)  # what a dead worker held is another's soon
    fate = Fate(Path(os.environ["LOYALTY_TEST_STEPS"]), int(os.environ["LOYALTY_TEST_DEATHS"]))
    fate.around_calls()
    fate.around(Carrier, "_write", after="after it was noted that it is credited")
    fate.around(Carrier, "_voided", after="after the points are back")
    fate.around(
        receiving, "credit", "before it is credited", "after it is credited, before that is said"
    )
    fate.around(receiving, "call_off", after="after it is called off, before that is said")
    fate.around(receiving, "confirm", after="after it is settled, before that is said")
    fate.around(restoring, "take_back", after="after it is taken back, before that is said")


def followed() -> int:
    """Fork until a child ends by itself; the child's way is to return."""
    child = 0

    def stop(number: int, _: object) -> None:
        os.kill(child, number)

    while True:
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            return 0
        signal.signal(signal.SIGTERM, stop)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            os._exit(os.WEXITSTATUS(status))
        if os.WTERMSIG(status) != signal.SIGKILL:
            os._exit(1)


if __name__ == "__main__":
    mortal()
    followed()
    random.seed()
    sys.argv[0] = "loyalty"
    cli.main()
