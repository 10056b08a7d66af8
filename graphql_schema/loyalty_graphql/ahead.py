"""Loading ahead: what a page's items will be asked for, loaded before they are handed out.

A field that waits is a task of asyncio, and what it answers goes through two more. A field whose
value is there answers at once: of fifty members with balances and statements a hundred are spared.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar, cast

from strawberry.dataloader import DataLoader
from strawberry.types.nodes import SelectedField, Selection

K = TypeVar("K")
V = TypeVar("V")
T = TypeVar("T")


def beneath(selections: Iterable[Selection], *path: str) -> list[SelectedField]:
    """The fields selected beneath these (such as `info.selected_fields`), or further down a path.

    Fragments count whatever their type: to load too much is no harm.
    """
    found = list(_flat(selections))
    for name in path:
        found = [one for each in found for one in _flat(each.selections) if one.name == name]
    return [one for each in found for one in _flat(each.selections)]


async def load_ahead(
    loader: DataLoader[K, V], keys: Iterable[K], load: Callable[[list[K]], Awaitable[Sequence[Any]]]
) -> list[V]:
    """Have the values at hand, by `load` in the place of the loader's own function, and answer
    those that were not there yet. An error is that of each who asks for one of them, as ever."""
    new_future, known = asyncio.get_running_loop().create_future, loader.cache_map
    missing = [key for key in dict.fromkeys(keys) if known.get(key) is None]
    futures = [new_future() for _ in missing]
    for key, future in zip(missing, futures, strict=True):
        known.set(key, future)
    try:
        values = await load(missing)
        for future, value in zip(futures, values, strict=True):
            _settle(future, value)
    except Exception as error:
        for future in futures:
            _settle(future, error)
    finally:
        for future in futures:
            future.cancel()  # of those that nobody will settle any more
    settled = (future for future in futures if not future.cancelled())
    return [future.result() for future in settled if future.exception() is None]


def soon(found: Awaitable[V], shown: Callable[[V], T]) -> T:
    """What is shown of a value that a loader has, or else an awaitable of it.

    Typed as what the field is, which is read off its resolver; executors await what has to be.
    """
    if isinstance(found, asyncio.Future) and found.done():
        return shown(found.result())
    return cast(T, _later(found, shown))


async def _later(found: Awaitable[V], shown: Callable[[V], T]) -> T:
    return shown(await found)


def _settle(future: asyncio.Future[Any], value: Any) -> None:
    if future.done():
        return
    if isinstance(value, BaseException):
        future.set_exception(value)
        future.exception()  # seen, also where nobody asks
    else:
        future.set_result(value)


def _flat(selections: Iterable[Selection]) -> Iterator[SelectedField]:
    for each in selections:
        if _is_left_out(each):
            continue
        if isinstance(each, SelectedField):
            yield each
        else:
            yield from _flat(each.selections)


def _is_left_out(selection: Selection) -> bool:
    directives = selection.directives
    skip, include = directives.get("skip", {}), directives.get("include", {})
    return skip.get("if") is True or include.get("if", True) is False
