"""The driver: lets a stretch of the year happen, moves the clock, does what is due, goes on."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence

from loyalty_app.demo.api import Api
from loyalty_app.demo.baskets import Basket
from loyalty_app.demo.packing import deal, packed
from loyalty_app.demo.tally import Tally
from loyalty_app.demo.timeline import YEAR_START, Stretch

Progress = Callable[[int], None]


async def replay(
    api: Api, households: Sequence[str], timeline: Iterable[Stretch], progress: Progress
) -> Tally:
    """Enrol the households and let everything happen in order; safe to run again.

    The clock stands at a stretch's end while its baskets come in, as if the tills sent them then.
    Progress is told how many baskets were answered.
    """
    tally = Tally()
    api.set_time(YEAR_START)
    await api.enroll(households)
    for stretch in timeline:
        api.set_time(stretch.until)
        begun = time.monotonic()
        await asyncio.gather(*(_lane(api, lane, tally, progress) for lane in deal(stretch.baskets)))
        tally.seconds += time.monotonic() - begun
        if stretch.redemptions:
            tally.redemptions.update(await api.redeem(stretch.redemptions))
        if stretch.sweeps:
            await api.sweep()
    return tally


async def _lane(api: Api, baskets: Sequence[Basket], tally: Tally, progress: Progress) -> None:
    for pack in packed(baskets):
        answers = await api.record(pack)
        for basket, answer in zip(pack, answers, strict=True):
            tally.count(basket.id, answer)
        progress(len(pack))
