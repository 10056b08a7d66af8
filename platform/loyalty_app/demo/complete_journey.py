"""The demo from end to end: servers, an API in a process of its own, a year of baskets, a table."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from datetime import datetime
from uuid import UUID

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from loyalty.audit import audit
from loyalty.clock import SetClock
from loyalty_app.alone import alone
from loyalty_app.demo.api_process import api_process
from loyalty_app.demo.baskets import baskets, oddities
from loyalty_app.demo.credential import till_key
from loyalty_app.demo.difference import differences
from loyalty_app.demo.expected import expect
from loyalty_app.demo.frames import Frames, load
from loyalty_app.demo.outcome import Outcome
from loyalty_app.demo.over_http import OverHttp
from loyalty_app.demo.record_many import BASKETS, record_many_alone
from loyalty_app.demo.redemptions import redemptions
from loyalty_app.demo.replay import replay
from loyalty_app.demo.shared_clock import SharedClock
from loyalty_app.demo.stand import stand
from loyalty_app.demo.tally import Tally
from loyalty_app.demo.timeline import YEAR_END, YEAR_START, stretches
from loyalty_app.ledger import Ledger, open_ledger
from loyalty_app.prepare import prepare
from loyalty_app.servers import servers
from loyalty_app.settings import Settings

SLUG = "complete-journey"
WAIT_SECONDS = 60.0


def complete_journey(
    settings: Settings, console: Console, *, first: int | None = None, check: bool = False
) -> Outcome:
    """Replay the first so many baskets (None: the year) in the servers of the data folder.

    :raises Problem: the data set is missing, the folder is in use, a server does not start
    """
    with console.status("Reading the data set"):
        frames = load() if first is None else load().first(first)
    end = YEAR_END if first is None else last_instant(frames)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with alone(settings.data_dir), servers(settings) as found:
        ready, _ = asyncio.run(prepare(found))
        with api_process(ready) as (url, clock):
            return asyncio.run(replayed(ready, console, frames, end, url, clock, check=check))


def last_instant(frames: Frames) -> datetime:
    at: datetime = frames.lines["transaction_timestamp"].iloc[-1].tz_localize("UTC").to_pydatetime()
    return at


async def replayed(
    settings: Settings, console: Console, frames: Frames, end: datetime, url: str,
    clock: SharedClock, *, check: bool, alone_count: int = BASKETS,
) -> Outcome:  # fmt: skip
    """Replay on a prepared database and an API at `url` that goes by `clock`."""
    households = [str(household) for household in frames.households()]
    own_clock = SetClock(YEAR_START)
    async with AsyncExitStack() as stack:
        app = await stack.enter_async_context(
            open_ledger(settings, settings.need("app_database_url"), clock=own_clock)
        )
        worker = await stack.enter_async_context(
            open_ledger(settings, settings.need("worker_database_url"), clock=clock, pool=2)
        )
        tenant_id = await stand(app.database, app.configs, SLUG, YEAR_START)
        http = await stack.enter_async_context(await _client(app, tenant_id, settings, url))
        api = OverHttp(http, clock, worker.recorder, tenant_id)
        with _progress(console, frames) as progress:
            timeline = stretches(baskets(frames), redemptions(frames), end)
            tally = await replay(api, households, timeline, progress)
        with console.status("Recording without the API, reading balances, auditing"):
            balances, expired = await api.balances(), await api.expired()
            speed = await record_many_alone(
                app, own_clock, baskets(frames), households, count=alone_count
            )
            findings = await audit(settings.need("audit_database_url"), [tenant_id])
            return Outcome(
                members=len(balances),
                tally=tally,
                expired=expired,
                outstanding=sum(balances.values()),
                oddities=oddities(frames),
                alone=speed,
                findings=[f"{one.invariant}: {dict(one.row)}" for one in findings],
                differences=_compared(frames, end, tally, balances, expired) if check else None,
            )


def _compared(
    frames: Frames, end: datetime, tally: Tally, balances: Mapping[str, int], expired: int
) -> list[str]:
    return list(differences(tally, balances, expired, expect(frames, end)))


async def _client(
    ledger: Ledger, tenant_id: UUID, settings: Settings, url: str
) -> httpx.AsyncClient:
    key = await till_key(ledger.database, tenant_id, settings.data_dir, YEAR_START)
    return httpx.AsyncClient(
        base_url=url,
        headers={"authorization": f"Bearer {key}"},
        timeout=WAIT_SECONDS,
        trust_env=False,  # loopback: no proxy
    )


@contextmanager
def _progress(console: Console, frames: Frames) -> Iterator["_Bar"]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[speed]:>6}/s"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        yield _Bar(progress, int(frames.lines["basket_id"].nunique()))


class _Bar:
    """Told how many baskets were answered."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress = progress
        self._task = progress.add_task("Baskets", total=total, speed="")

    def __call__(self, done: int) -> None:
        task = self._progress.tasks[0]
        self._progress.update(self._task, advance=done, speed=f"{task.speed or 0:,.0f}")
