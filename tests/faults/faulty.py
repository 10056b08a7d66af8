"""A plugin whose rule does what a purchase's attribute `trouble` says; else nothing."""

import time
from collections.abc import Iterable

from pydantic import BaseModel

from loyalty.effects import Effect
from loyalty.facts import PurchaseRecorded
from loyalty.plugin import Plugin, on
from loyalty.view import View

BUSY_SECONDS = 0.5


class FaultyConfig(BaseModel):
    """Nothing."""


def react(config: FaultyConfig, purchase: PurchaseRecorded, view: View) -> Iterable[Effect]:
    match purchase.attributes.get("trouble"):
        case "raises":
            raise RuntimeError("a rule of the test fails")
        case "answers rubbish":
            return [object()]  # type: ignore[list-item]
        case "answers nothing iterable":
            return 7  # type: ignore[return-value]
        case "burns the processor":
            until = time.process_time() + BUSY_SECONDS
            while time.process_time() < until:
                pass
        case "never returns":
            while True:
                pass
    return ()


plugin = Plugin(
    name="faulty", config=FaultyConfig, reactions=(on(PurchaseRecorded, FaultyConfig, react),)
)
