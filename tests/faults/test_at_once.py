"""The same many times at the same moment, at two processes whose way to PostgreSQL is unsteady: one
key has one effect and one answer, one balance is spent once."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import orjson
import pytest

from tests.faults import report
from tests.faults.api import Api
from tests.faults.brand import Brand
from tests.faults.caller import balance, purchase, redemption
from tests.faults.conftest import Loading, SizeOf
from tests.faults.journal import Answer, Call, Fate
from tests.faults.load import START_DOLLARS, Load
from tests.faults.proxy import Weather, proxy
from tests.faults.stand import Stand, through
from tests.faults.verdict import judge

JITTER_SECONDS = 0.02
TIMES, RIVALS = 64, 200
LOOKS = 20
IDLE = 0.5  # calls a second beside it: enough for a journal to be judged


@dataclass(frozen=True, slots=True)
class Far:
    apis: list[Api]
    weather: Weather  # between them and PostgreSQL


@pytest.fixture
async def far(platform: Stand) -> AsyncIterator[Far]:
    """Two processes whose packets take up to 20 ms to PostgreSQL and back, each in its own time.

    Their rates, which would refuse such a crowd, are another test's.
    """
    async with proxy(platform.postgres.port) as between:
        url = through(platform.settings.need("app_database_url"), between.port)
        given = {"LOYALTY_TENANT_RATE": "0", "LOYALTY_TENANT_IN_FLIGHT": "0"}
        started = [platform.api(LOYALTY_APP_DATABASE_URL=url, **given) for _ in range(2)]
        for api in started:
            api.start()
        await asyncio.gather(*(api.serves() for api in started))
        between.weather.jitter = JITTER_SECONDS
        yield Far(started, between.weather)
        await asyncio.gather(*(api.stop() for api in started))


async def test_the_same_key_many_times_at_once(
    platform: Stand, brand: Brand, put_load: Loading, size: SizeOf, far: Far
) -> None:
    keys = size("keys sent 64 times at once")
    async with put_load(brand, far.apis, rate=IDLE, timeout=30.0) as load:
        for number in range(keys):
            member = brand.members[number % len(brand.members)]
            made = redemption if number % 2 else purchase
            call = load.journal.add(made(f"same-{number:04d}", member, 1 + number % 7))
            answers = await _sent(load, [call] * TIMES)
            assert {answer.fate for answer in answers} == {Fate.DONE}, load.journal.counts()
            firsts = [answer.payload["replayed"] for answer in answers].count(False)
            assert firsts == 1
            said = {orjson.dumps({**answer.payload, "replayed": None}) for answer in answers}
            assert len(said) == 1, said
        far.weather.jitter = 0.0
        verdict = await judge(platform.settings, load)
    report.note(
        report.Row(
            place=25,
            what="the same call is sent many times at once",
            tried=(
                f"{keys} purchases and redemptions, each {TIMES} times at once to two processes, "
                f"packets to PostgreSQL delayed by up to {1000 * JITTER_SECONDS:g} ms"
            ),
            held="each is done once, and all its answers are the same to the byte",
            measured=f"{keys * TIMES:,} answers, {keys} effects; {verdict}",
        )
    )


async def test_a_whole_balance_is_asked_for_many_times_at_once(
    platform: Stand, brand: Brand, put_load: Loading, size: SizeOf, far: Far
) -> None:
    """Each asks under a key of its own, and others look at the balance meanwhile."""
    rounds = size("balances asked for 200 times at once")
    async with put_load(brand, far.apis, rate=IDLE, mix={"balance": 1}, timeout=30.0) as load:
        for number in range(rounds):
            member = brand.members[number % len(brand.members)]
            calls = [
                load.journal.add(redemption(f"all-{number:03d}-{rival:03d}", member, START_DOLLARS))
                for rival in range(RIVALS)
            ]
            looks = [load.journal.add(balance(member)) for _ in range(LOOKS)]
            _, seen = await asyncio.gather(_sent(load, calls), _sent(load, looks))
            await load.resolve()
            came = Counter(call.answers[-1].code for call in calls)
            assert came == {"OK": 1, "INSUFFICIENT_BALANCE": RIVALS - 1}
            shown = {look.payload["balance"]["available"] for look in seen if look.payload}
            assert shown <= {"0", str(START_DOLLARS)}
            again = purchase(f"again-{number:03d}", member, START_DOLLARS)
            assert (await _sent(load, [load.journal.add(again)]))[0].fate is Fate.DONE
        far.weather.jitter = 0.0
        verdict = await judge(platform.settings, load)
    report.note(
        report.Row(
            place=26,
            what="a whole balance is asked for many times at once",
            tried=(
                f"{rounds} times by {RIVALS} redemptions at once at two processes, packets to "
                f"PostgreSQL delayed by up to {1000 * JITTER_SECONDS:g} ms"
            ),
            held="one of them has it; nobody ever sees less than nothing",
            measured=f"{rounds} of {rounds * RIVALS:,} were given it; {verdict}",
        )
    )


async def _sent(load: Load, calls: Sequence[Call]) -> list[Answer]:
    """All at once, by turns to each process."""
    urls = [api.url for api in load.apis]
    return await asyncio.gather(
        *(load.caller.send(call, urls[n % len(urls)]) for n, call in enumerate(calls))
    )
