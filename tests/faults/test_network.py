"""The network between API and PostgreSQL: unsteady, and cut in the middle of a commit's answer."""

import asyncio

from tests.faults import report
from tests.faults.brand import Brand
from tests.faults.conftest import Loading, SizeOf
from tests.faults.proxy import Weather, proxy
from tests.faults.sizes import CLEAN_SECONDS
from tests.faults.stand import Stand, through
from tests.faults.verdict import judge

JITTER_SECONDS = 0.02
CHANCE = 0.1
COMMIT = b"commit\x00"
BACK_SECONDS = 10.0


async def test_commits_are_cut_off_from_their_answers(
    platform: Stand, brand: Brand, put_load: Loading, size: SizeOf
) -> None:
    """The server has committed, the client hears nothing of it, or a part of it."""
    cuts = size("cuts in a commit's answer")
    async with proxy(platform.postgres.port) as between:
        url = through(platform.settings.need("app_database_url"), between.port)
        api = platform.api(LOYALTY_APP_DATABASE_URL=url)
        api.start()
        await api.serves()
        async with put_load(brand, [api], rate=40) as load:
            await asyncio.sleep(size(CLEAN_SECONDS))
            between.weather = Weather(jitter=JITTER_SECONDS, cut_answer_to=COMMIT, chance=CHANCE)
            async with asyncio.timeout(1_200):
                while between.cuts < cuts:
                    await asyncio.sleep(0.05)
            between.weather = Weather()
            back = await load.healthy()
            verdict = await judge(platform.settings, load)
            codes = load.journal.counts()
        await api.stop()
    assert codes.get("UNAVAILABLE")
    report.within(BACK_SECONDS, back, "back after the network is")
    report.note(
        report.Row(
            place=15,
            what="the network is cut between a commit and its answer",
            tried=(
                f"{between.cuts} times in the middle of the answer, beside delays of up to "
                f"{1000 * JITTER_SECONDS:g} ms a packet"
            ),
            held="`UNAVAILABLE`; sent again, each is there once",
            measured=f"{codes['UNAVAILABLE']} answers of that kind; {verdict}",
        )
    )
