"""Loading ahead: the same values, errors and single load as when each is asked for by itself."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest
from strawberry.dataloader import DataLoader

from loyalty_graphql.ahead import load_ahead, soon


class Asked:
    """A batch function that notes what it is asked; it fails for `bad`, and waits for `gate`."""

    def __init__(self) -> None:
        self.keys: list[list[str]] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, keys: list[str]) -> list[Any]:
        self.keys.append(keys)
        await self.gate.wait()
        return [ValueError(key) if key == "bad" else key.upper() for key in keys]


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
def loader(asked: Asked) -> DataLoader[str, str]:
    return DataLoader(asked)


def shown(found: Awaitable[str]) -> Any:
    return soon(found, lambda value: f"<{value}>")


async def test_what_is_there_is_shown_at_once(asked: Asked, loader: DataLoader[str, str]) -> None:
    assert await load_ahead(loader, ["a", "b", "a"], asked) == ["A", "B"]

    assert [shown(loader.load(key)) for key in "ab"] == ["<A>", "<B>"]
    assert await shown(loader.load("c")) == "<C>"
    assert asked.keys == [["a", "b"], ["c"]]


async def test_an_error_is_that_of_who_asks_for_it(
    asked: Asked, loader: DataLoader[str, str]
) -> None:
    assert await load_ahead(loader, ["a", "bad"], asked) == ["A"]

    assert shown(loader.load("a")) == "<A>"
    with pytest.raises(ValueError, match="bad"):
        shown(loader.load("bad"))


async def test_a_load_that_fails_as_a_whole_fails_for_each(loader: DataLoader[str, str]) -> None:
    async def broken(keys: list[str]) -> list[str]:
        raise LookupError("gone")

    assert await load_ahead(loader, ["a", "b"], broken) == []

    for key in "ab":
        with pytest.raises(LookupError, match="gone"):
            shown(loader.load(key))


async def test_nothing_is_loaded_twice_at_once(asked: Asked, loader: DataLoader[str, str]) -> None:
    asked.gate.clear()
    ahead = asyncio.create_task(load_ahead(loader, ["a", "b"], asked))
    await asyncio.sleep(0)
    later = asyncio.create_task(load_ahead(loader, ["b", "c"], asked))
    waiting = shown(loader.load("a"))
    asked.gate.set()

    assert await waiting == "<A>"
    assert await ahead == ["A", "B"]
    assert await later == ["C"]
    assert asked.keys == [["a", "b"], ["c"]]


async def test_what_was_broken_off_is_loaded_anew(
    asked: Asked, loader: DataLoader[str, str]
) -> None:
    asked.gate.clear()
    ahead = asyncio.create_task(load_ahead(loader, ["a"], asked))
    await asyncio.sleep(0)
    ahead.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ahead
    asked.gate.set()

    assert await shown(loader.load("a")) == "<A>"


async def test_who_goes_away_breaks_nothing_off_for_the_others(
    asked: Asked, loader: DataLoader[str, str]
) -> None:
    asked.gate.clear()
    ahead = asyncio.create_task(load_ahead(loader, ["a", "b"], asked))
    await asyncio.sleep(0)
    gone = asyncio.ensure_future(shown(loader.load("a")))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    asked.gate.set()

    assert await ahead == ["B"]
    assert shown(loader.load("b")) == "<B>"
