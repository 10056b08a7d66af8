"""Lists of an answer: each item completed in its place, those that wait awaited together."""

from typing import Any

from graphql import GraphQLOutputType, get_nullable_type, is_non_null_type, located_error
from strawberry.execution import optimized_is_awaitable as is_awaitable

from compiled_graphql.field import Complete, Field
from compiled_graphql.leaves import OWN_OUTPUT
from compiled_graphql.paths import Place, path_of
from compiled_graphql.run import Run
from compiled_graphql.waiting import Coroutine, settle


class Item:
    """An item that is not as expected, or that fails."""

    __slots__ = ("complete", "field", "nullable", "plain")

    def __init__(self, kind: GraphQLOutputType, field: Field, complete: Complete) -> None:
        self.nullable = not is_non_null_type(kind)
        self.complete = complete
        self.field = field
        self.plain = field.plain

    def rare(self, run: Run, value: Any, place: Place) -> Any:
        if is_awaitable(value):
            return self.awaited(run, value, place)
        return self.settled(run, value, place)

    def settled(self, run: Run, value: Any, place: Place) -> Any:
        if isinstance(value, Exception):
            raise value
        self.plain.learn(value)
        return self.complete(run, value, place)

    async def awaited(self, run: Run, value: Any, place: Place) -> Any:
        try:
            completed = self.settled(run, await value, place)
            return await completed if is_awaitable(completed) else completed
        except Exception as error:
            return self.fail(run, error, place)

    async def guarded(self, run: Run, completed: Any, place: Place) -> Any:
        try:
            return await completed
        except Exception as error:
            return self.fail(run, error, place)

    def fail(self, run: Run, raw: Exception, place: Place) -> Any:
        """Note an error and answer null, or raise it for the whole list."""
        path = path_of(place)
        assert path is not None
        error = located_error(raw, self.field.nodes, path.as_list())
        if not self.nullable:
            raise error
        run.collected.add(error, path)
        return None


def complete_items(
    kind: GraphQLOutputType, field: Field, direct: Complete, complete: Complete
) -> Complete:
    """Complete the items of an iterable. `direct` completes one of a class that is known."""
    item = Item(kind, field, complete)
    named = get_nullable_type(kind)
    own = OWN_OUTPUT.get(named)
    plain = field.plain

    def items(run: Run, values: Any, within: Place) -> Any:
        found: list[Any] = []
        waiting: Any = None
        index = 0
        iterator = iter(values)
        try:
            for value in iterator:
                try:
                    if value.__class__ is not own:
                        place = (within, index, None)
                        if value.__class__ in plain:
                            value = direct(run, value, place)
                        else:
                            value = item.rare(run, value, place)
                        if value.__class__ is Coroutine:
                            value = item.guarded(run, value, place)
                            waiting = (waiting, index, value)
                except Exception as error:
                    value = item.fail(run, error, (within, index, None))
                found.append(value)
                index += 1
        except Exception:
            run.abandon(waiting, _awaitables(iterator))
            raise
        return found if waiting is None else settle(found, waiting)

    return items


def _awaitables(rest: Any) -> list[Any]:
    """What an iterable still holds that must not be left unawaited, as far as it lets us look."""
    found: list[Any] = []
    try:
        found.extend(value for value in rest if is_awaitable(value))
    except Exception:
        return found
    return found
