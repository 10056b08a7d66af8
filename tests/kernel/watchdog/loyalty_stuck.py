"""A plugin that never returns where a purchase's attribute `never` says how."""

import re
import threading
from collections.abc import Iterable

from pydantic import BaseModel

from loyalty.effects import Effect
from loyalty.facts import LotsDue, PurchaseRecorded
from loyalty.plugin import Plugin, on
from loyalty.view import View


class StuckConfig(BaseModel):
    """Nothing."""


def get_stuck(config: StuckConfig, purchase: PurchaseRecorded, view: View) -> Iterable[Effect]:
    match purchase.attributes.get("never"):
        case "loops":
            while True:
                pass
        case "waits":
            threading.Event().wait()
        case "matches":  # in C, which does not let other threads run
            re.match(r"(a+)+$", "a" * 60 + "b")
    return ()


def get_stuck_later(config: StuckConfig, due: LotsDue, view: View) -> Iterable[Effect]:
    while True:
        pass


plugin = Plugin(
    name="stuck",
    config=StuckConfig,
    reactions=(
        on(PurchaseRecorded, StuckConfig, get_stuck),
        on(LotsDue, StuckConfig, get_stuck_later),
    ),
)
