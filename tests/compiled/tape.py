"""What resolvers answered while one executor ran, played to the other.

So an operation that writes runs once and is executed twice: the second executor calls the same
resolvers of the same objects with the same arguments, or the tape says that it does not.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

from graphql.pyutils import is_awaitable
from strawberry import Schema

from tests.compiled.resolvers import Resolver, replace_resolvers

TAPE: ContextVar["Tape | None"] = ContextVar("tape", default=None)


@dataclass(slots=True)
class Call:
    """One call; `done` once it has answered or failed."""

    given: str
    done: bool = False
    later: bool = False  # answered an awaitable, though the resolver is no coroutine
    value: Any = None
    error: Exception | None = None
    played: bool = False

    def answer(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.value


@dataclass(slots=True)
class Tape:
    calls: dict[Any, list[Call]] = field(default_factory=lambda: defaultdict(list))
    kept: list[Any] = field(default_factory=list)
    is_playing: bool = False
    unheard: list[str] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def record(self, place: str, source: Any, given: str) -> Call:
        call = Call(given)
        self.kept.append(source)  # so that its id stays its own
        self.calls[place, id(source)].append(call)
        return call

    def find(self, place: str, source: Any, given: str) -> Call | None:
        for call in self.calls[place, id(source)]:
            if not call.played and call.given == given:
                call.played = True
                return call if call.done else None
        self.unheard.append(f"{place} of {source!r} with {given}")
        return None

    def left(self) -> list[str]:
        """Calls that the second executor did not make."""
        return [
            f"{place} with {call.given}"
            for (place, _), calls in self.calls.items()
            for call in calls
            if not call.played
        ]


def taped(schema: Schema) -> None:
    """Put the tape before every resolver of a schema; without one nothing changes."""
    replace_resolvers(schema, _taped, wrap=_taped_around)


def _taped_around(place: str, resolve: Callable[..., Any]) -> Callable[..., Any]:
    """The tape before what stands around a resolver, which is asked once, too."""

    @wraps(resolve)
    async def around(source: Any, info: Any, /, **arguments: Any) -> Any:
        tape = TAPE.get()
        if tape is None:
            return await _awaited(resolve(source, info, **arguments))
        given = repr((info.path.as_list(), arguments))
        if tape.is_playing:
            return await _played(tape, tape.find(place, source, given))
        call = tape.record(place, source, given)
        # Nothing beneath it is on the tape: it is played as a whole.
        token = TAPE.set(None)
        try:
            return await _recorded(call, _awaited(resolve(source, info, **arguments)))
        finally:
            TAPE.reset(token)

    return around


async def _awaited(value: Any) -> Any:
    return await value if is_awaitable(value) else value


def _taped(resolver: Resolver) -> Callable[..., Any]:
    def begin(args: Any, kwargs: Any) -> tuple[Tape, Any, Any] | None:
        tape = TAPE.get()
        if tape is None:
            return None
        source, info, given = resolver.asked(args, kwargs)
        path = None if info is None else (info.path.as_list(), info.field_name)
        # As text: resolvers may change the objects that they are given.
        return tape, source, repr((path, given))

    @wraps(resolver.function)  # its rule and its docstring are on the function
    async def waiting(*args: Any, **kwargs: Any) -> Any:
        if (begun := begin(args, kwargs)) is None:
            return await resolver.function(*args, **kwargs)
        tape, source, given = begun
        if tape.is_playing:
            return await _played(tape, tape.find(resolver.place, source, given))
        return await _recorded(
            tape.record(resolver.place, source, given), resolver.function(*args, **kwargs)
        )

    @wraps(resolver.function)
    def at_once(*args: Any, **kwargs: Any) -> Any:
        if (begun := begin(args, kwargs)) is None:
            return resolver.function(*args, **kwargs)
        tape, source, given = begun
        if tape.is_playing:
            call = tape.find(resolver.place, source, given)
            return _played(tape, call) if call is None or call.later else call.answer()
        call = tape.record(resolver.place, source, given)
        try:
            call.value = resolver.function(*args, **kwargs)
        except Exception as error:
            call.error, call.done = error, True
            raise
        if is_awaitable(call.value):
            call.later = True
            return _recorded(call, call.value)
        call.done = True
        return call.value

    return waiting if resolver.is_async else at_once


async def _recorded(call: Call, awaitable: Any) -> Any:
    try:
        call.value = await awaitable
    except Exception as error:
        call.error = error
        raise
    finally:
        call.done = True
    return call.value


async def _played(tape: Tape, call: Call | None) -> Any:
    """The answer; of a call that never came to its end, nothing until everything has ended."""
    if call is None:
        await tape.ended.wait()
        raise asyncio.CancelledError
    return call.answer()
