"""Real baskets through the platform, compared to the point with the independent computation."""

import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from loyalty_app.demo.api_process import api_process
from loyalty_app.demo.baskets import baskets
from loyalty_app.demo.complete_journey import last_instant, replayed
from loyalty_app.demo.difference import differences
from loyalty_app.demo.expected import expect
from loyalty_app.demo.frames import Frames
from loyalty_app.demo.redemptions import redemptions
from loyalty_app.demo.replay import replay
from loyalty_app.demo.tally import Tally
from loyalty_app.demo.timeline import YEAR_END, stretches
from loyalty_app.logins import Addresses
from loyalty_app.settings import Settings

FIRST = 1_000
HOUSEHOLDS = 12


async def test_the_first_baskets_over_http_are_right_to_the_point(
    frames: Frames, dsn: Addresses, valkey_url: str, tmp_path: Path
) -> None:
    settings = Settings(
        app_database_url=dsn.app,
        worker_database_url=dsn.worker,
        audit_database_url=dsn.audit,
        redis_url=valkey_url,
        operator_secret=secrets.token_urlsafe(32),
        data_dir=tmp_path,
    )
    part = frames.first(FIRST)
    quiet = Console(quiet=True)
    with api_process(settings) as (url, clock):
        end = last_instant(part)
        first, again = [
            await replayed(settings, quiet, part, end, url, clock, check=True, alone_count=100)
            for _ in range(2)
        ]

    assert first.differences == []
    assert first.good, first.verdicts()
    assert (len(first.tally.points), first.tally.replayed) == (FIRST, 0)
    assert first.tally.granted > 30_000
    assert again.good, again.verdicts()
    assert (again.tally.replayed, again.outstanding) == (FIRST, first.outstanding)
    assert again.tally.points == first.tally.points


async def test_a_year_of_some_households_with_redemptions_and_expiry(
    frames: Frames, make_stand: Callable[[], Awaitable[Any]]
) -> None:
    part = _of_some_households(frames)
    stand = await make_stand()

    tally = await _replay(stand.api, part)
    balances, expired = await stand.api.balances(), await stand.api.expired()

    expected = expect(part, YEAR_END)
    assert expected.redeemed > 1_000
    assert expected.skipped > 0
    assert expected.expired > 1_000
    assert list(differences(tally, balances, expired, expected)) == []
    assert tally.granted == tally.redeemed + expired + sum(balances.values())
    await stand.audited()

    again = await _replay(stand.api, part)
    assert (again.replayed, again.points) == (len(tally.points), tally.points)
    assert (again.redeemed, again.skipped) == (tally.redeemed, tally.skipped)
    assert await stand.api.balances() == balances
    assert await stand.api.expired() == expired
    await stand.audited()


async def test_a_replay_that_was_stopped_goes_on(
    frames: Frames, make_stand: Callable[[], Awaitable[Any]]
) -> None:
    part = _of_some_households(frames)
    stand = await make_stand()
    some = frames.first(60_000)
    half = Frames(
        some.lines[some.lines["household_id"].isin(part.households())],
        part.products,
        part.coupons,
    )
    stopped = await _replay(stand.api, half, until_end_of=half)
    whole = await _replay(stand.api, part)

    assert 0 < whole.replayed == len(stopped.points) < len(whole.points)
    balances, expired = await stand.api.balances(), await stand.api.expired()
    assert list(differences(whole, balances, expired, expect(part, YEAR_END))) == []


def _of_some_households(frames: Frames) -> Frames:
    """The households that redeemed most often, whole."""
    often = frames.coupons["household_id"].value_counts()
    chosen = sorted(often.index[: HOUSEHOLDS // 2]) + sorted(often.index[-HOUSEHOLDS // 2 :])
    return Frames(
        frames.lines[frames.lines["household_id"].isin(chosen)],
        frames.products,
        frames.coupons[frames.coupons["household_id"].isin(chosen)],
    )


async def _replay(api: Any, part: Frames, until_end_of: Frames | None = None) -> Tally:
    end = YEAR_END if until_end_of is None else last_instant(until_end_of)
    households = [str(household) for household in part.households()]
    timeline = stretches(baskets(part), redemptions(part), end)
    return await replay(api, households, timeline, lambda done: None)
