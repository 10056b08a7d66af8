"""One API process has a wrong clock: the ledger stays sound, and the others stay right."""

import asyncio

import pytest

from tests.faults import report
from tests.faults.brand import Brand
from tests.faults.conftest import Loading
from tests.faults.faketime import jumped
from tests.faults.stand import Stand
from tests.faults.verdict import judge

SECONDS = 4.0


@pytest.mark.soak
@pytest.mark.faketime
@pytest.mark.parametrize("jump", ["-1h", "+1d", "+400d"])
async def test_a_process_has_a_wrong_clock(
    platform: Stand, brand: Brand, put_load: Loading, jump: str
) -> None:
    [right] = await platform.apis(1)
    wrong = platform.api(**jumped(jump))
    wrong.start()
    await wrong.serves()
    # Writes only: what a process shows is as of its own now, and so it should be.
    mix = {"purchase": 5, "redemption": 3}
    async with put_load(brand, [right, wrong], rate=40, mix=mix) as load:
        await asyncio.sleep(SECONDS)
        await load.stop()
        codes = load.journal.counts()
        load.apis = [right]
        verdict = await judge(platform.settings, load)
    await wrong.stop()
    report.note(
        report.Row(
            place=150,
            what=f"an API process has a wrong clock ({jump})",
            tried=f"half of {load.rate:g} calls/s go there",
            held="what it accepts is booked once; leases and locks are by the database's clock",
            measured=f"answers {codes}; {verdict}",
        )
    )
