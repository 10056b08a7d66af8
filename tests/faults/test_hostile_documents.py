"""Hostile documents: how much of an API process each takes, and what others notice of them."""

import asyncio
from statistics import median

import httpx
import psutil

from tests.faults import report
from tests.faults.api import Api
from tests.faults.brand import Brand
from tests.faults.conftest import Loading, SizeOf
from tests.faults.pace import shares, starved, stretch
from tests.faults.sizes import Size
from tests.faults.stand import Stand
from tests.graphql.edge.hostile import HOSTILE, Hostile

CPU_SECONDS = 0.05
ANSWER_SECONDS = 0.2  # the slowest of a hundred answers to a client of another tenant
MEMORY_GROWTH = 32 * 1024 * 1024
PACE = 20.0
QUIET_SECONDS = 3


async def test_each_costs_little_and_others_notice_nothing(
    platform: Stand, put_load: Loading, size: SizeOf
) -> None:
    attacker, other = await platform.brand(), await platform.brand()
    # Without a rate, for it would be used up, and refusals for that reason cost nothing.
    api = platform.api(LOYALTY_TENANT_RATE="0")
    api.start()
    await api.serves()
    times = size(Size(12, 100))
    try:
        async with put_load(other, [api], rate=PACE) as load:
            before = shares(api)
            async with stretch(load) as quiet:
                await asyncio.sleep(QUIET_SECONDS)
            # What it lacks later may be the attacker's doing.
            proves = not starved(api, before)
            await _costs(api, attacker, 5)  # compiles, imports and caches what it may
            memory = api.memory
            async with stretch(load) as beside:
                costs = await _costs(api, attacker, times)
            grown = api.memory - memory
    finally:
        await api.stop()

    worst = max(costs, key=lambda name: costs[name])
    report.within(CPU_SECONDS, costs[worst], f"CPU for {worst}")
    if proves:
        report.within(ANSWER_SECONDS, beside.pace.p99, "an answer to another tenant")
    assert not beside.pace.others
    assert grown < MEMORY_GROWTH, f"{grown:,} bytes more after {times} rounds"
    report.note(
        report.Row(
            place=200,
            what="hostile documents",
            tried=(
                f"{len(costs)} of them (nested, repeated, expanding, huge, malformed), "
                f"{times} times each, while another tenant goes on at {PACE:g} calls/s"
            ),
            held=(
                f"each refused, or harmless, within {1000 * CPU_SECONDS:g} ms of CPU; of the "
                f"other tenant's answers 99 of 100 within {1000 * ANSWER_SECONDS:g} ms; memory "
                "does not grow"
            ),
            measured=(
                f"median {1000 * median(costs.values()):.1f} ms, most {1000 * costs[worst]:.1f} ms "
                f"({worst}); the other tenant: {beside.pace}, alone {quiet.pace}; "
                f"{grown / 1024**2:+.1f} MB"
            ),
        )
    )


async def _costs(api: Api, brand: Brand, times: int) -> dict[str, float]:
    """Seconds of the process's CPU for each, and with them for whatever else it did meanwhile."""
    headers = {"authorization": f"Bearer {brand.api_key}", "content-type": "application/json"}
    async with httpx.AsyncClient(trust_env=False, timeout=30, headers=headers) as http:
        return {name: await _cost(api, http, one, times) for name, one in HOSTILE.items()}


async def _cost(api: Api, http: httpx.AsyncClient, hostile: Hostile, times: int) -> float:
    process = psutil.Process(api.pid)
    begun = process.cpu_times()
    for _ in range(times):
        response = await http.post(f"{api.url}/graphql", content=hostile.body)
        assert response.status_code in (200, 400), response.text
    ended = process.cpu_times()
    return float(ended.user - begun.user + ended.system - begun.system) / times
