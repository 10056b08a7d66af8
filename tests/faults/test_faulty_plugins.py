"""A plugin's rule raises, answers rubbish, never returns: that is its own fact's trouble alone."""

import asyncio
from datetime import UTC, datetime

from loyalty_app.installed import installed
from loyalty_app.ledger import open_ledger
from loyalty_app.watchdog import EXIT_CODE
from loyalty_tenants.programs import create_program
from loyalty_tenants.publishing import publish_program
from tests.faults import report
from tests.faults.api import Api
from tests.faults.brand import BY, Brand
from tests.faults.caller import purchase
from tests.faults.conftest import Loading, SizeOf
from tests.faults.faulty import plugin
from tests.faults.journal import Answer, Call, Fate
from tests.faults.load import Load
from tests.faults.sizes import CLEAN_SECONDS, Size
from tests.faults.stand import Stand
from tests.faults.verdict import judge

WATCHDOG_SECONDS = 2.0
ROUNDS = Size(3, 30)
REFUSED = ("raises", "answers rubbish", "answers nothing iterable")


class FaultyApi(Api):
    def program(self) -> tuple[str, ...]:
        return ("-m", "tests.faults.faulty_api")


async def test_a_rule_does_what_it_should_not(
    platform: Stand, brand: Brand, put_load: Loading, size: SizeOf
) -> None:
    settings = platform.settings.environment()
    settings["LOYALTY_WATCHDOG_SECONDS"] = f"{WATCHDOG_SECONDS:g}"
    api = FaultyApi("faulty", settings=settings, folder=platform.folder)
    await _run_faulty(platform, brand)
    api.start()
    try:
        await api.serves()
        async with put_load(brand, [api], rate=30) as load:
            await asyncio.sleep(size(CLEAN_SECONDS))
            refused = [
                await _refused_alone(load, trouble, number)
                for number in range(size(ROUNDS))
                for trouble in REFUSED
            ]
            busy = await load.caller.send(
                load.journal.add(_troubled("busy", brand, "burns the processor")), api.url
            )
            ended = await _ended_by_the_watchdog(load, brand, api)
            verdict = await judge(platform.settings, load)
    finally:
        await api.stop()
    assert {answer.code for answer in refused} == {"INTERNAL"}
    assert busy.fate is Fate.DONE
    report.within(3 * WATCHDOG_SECONDS, ended, "a process whose rule never returns")
    report.note(
        report.Row(
            place=125,
            what="a plugin's rule raises, answers rubbish, burns the processor, never returns",
            tried=f"{len(refused)} such purchases and one that never returns, under load",
            held=(
                "`INTERNAL` for that purchase alone, nothing written, its key free; a process that "
                f"is stuck is ended after {WATCHDOG_SECONDS:g} s (here), its calls sent again"
            ),
            measured=f"ended after {ended:.1f} s; {verdict}",
        )
    )


async def _run_faulty(platform: Stand, brand: Brand) -> None:
    dsn, now = platform.settings.need("app_database_url"), datetime.now(UTC)
    plugins = (*installed(), plugin)
    async with (
        open_ledger(platform.settings, dsn, plugins=plugins, pool=1) as ledger,
        ledger.database.tenant(brand.tenant_id) as connection,
    ):
        made = await create_program(
            connection, ledger.configs, BY, slug="faulty", kind="faulty", name="Faulty",
            config={}, now=now,
        )  # fmt: skip
        await publish_program(
            connection, ledger.configs, BY, made.id, expected_version=made.version, now=now
        )


def _troubled(key: str, brand: Brand, trouble: str) -> Call:
    call = purchase(key, brand.members[0], 1)
    call.variables["input"]["attributes"] = {"trouble": trouble}
    return call


async def _refused_alone(load: Load, trouble: str, number: int) -> Answer:
    """Refused; then the same key is free for the purchase as it should have come."""
    key = f"{trouble.replace(' ', '-')}-{number}"
    answer = await load.caller.send(_troubled(key, load.caller.brand, trouble), load.apis[0].url)
    good = load.journal.add(purchase(key, load.caller.brand.members[0], 1))
    await load.caller.send(good, load.apis[0].url)
    return answer


async def _ended_by_the_watchdog(load: Load, brand: Brand, api: Api) -> float:
    """Seconds until the process was gone; then it is started again, as its supervisor does."""
    stuck = asyncio.create_task(
        load.caller.send(_troubled("stuck", brand, "never returns"), api.url)
    )
    code, seconds = await api.ended()
    assert code == EXIT_CODE, api.said()[-2000:]
    await stuck
    api.start()
    await api.serves()
    return seconds
