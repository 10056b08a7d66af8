"""Selections as generated functions: `(R, s, p)` to a dict, or to a coroutine of one.

`R` is the run, `s` the object that is read, `p` its place in the answer, `w` what waits at its
level.
A field whose value is as expected is a line or two; everything else goes to its `Field`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLObjectType,
    GraphQLOutputType,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)
from graphql.execution.collect_fields import FieldDetails, GroupedFieldSet

from compiled_graphql.calls import Call, Calls
from compiled_graphql.completion import completion, known
from compiled_graphql.field import Complete, Field
from compiled_graphql.leaves import EXACT
from compiled_graphql.objects import type_test
from compiled_graphql.source import Source, indented
from compiled_graphql.stock_parts import is_type_test
from compiled_graphql.target import Target
from compiled_graphql.unsupported import Reason, Unsupported

Collect = Callable[[GraphQLObjectType, list[FieldDetails]], GroupedFieldSet]


@dataclass(slots=True)
class Selections:
    """Writes them. `collect` merges what is selected beneath a field of an object type."""

    target: Target
    source: Source
    calls: Calls
    collect: Collect
    fields_max: int
    _fields: int = 0
    _later: list[Callable[[], None]] = field(default_factory=list)

    def write(
        self, kind: GraphQLObjectType, grouped: GroupedFieldSet, within: Field | None = None
    ) -> str:
        """A function for a selection of this type within a field. Answers its name."""
        is_tested = kind.is_type_of is not None and within is not None
        test = type_test(kind, within.nodes, self.source) if is_tested and within else []
        body = [*test, "w = None"]
        parts = []
        for key, details in grouped.items():
            expression, lines = self._selected(kind, key, details)
            body += lines
            parts.append(f"{self.source.constant(key)}: {expression}")
        body += [f"o = {{{', '.join(parts)}}}", "return o if w is None else settle(o, w)"]
        return self.source.function(self.source.new("select"), "R, s, p", self._opened(body))

    def write_serial(self, kind: GraphQLObjectType, grouped: GroupedFieldSet) -> str:
        """The same as a coroutine that awaits each field before it calls the next."""
        body, parts = [], []
        for key, details in grouped.items():
            expression, lines = self._selected(kind, key, details)
            body += ["w = None", *lines]
            if expression.startswith("v"):
                body.append(f"if w is not None: {expression} = await w[2]")
            parts.append(f"{self.source.constant(key)}: {expression}")
        body += [f"return {{{', '.join(parts)}}}"]
        name = self.source.new("select")
        return self.source.function(name, "R, s, p", self._opened(body), "async def")

    def finish(self) -> None:
        """Make the completions, once the functions are there that they call."""
        for each in self._later:
            each()

    def _opened(self, body: list[str]) -> list[str]:
        text = "\n".join(body)
        opened = ["V = R.values"] if "V[" in text else []
        return [*opened, *(["C = R.context"] if "(C)" in text else []), *body]

    def _selected(
        self, kind: GraphQLObjectType, key: str, details: list[FieldDetails]
    ) -> tuple[str, list[str]]:
        name = details[0].node.name.value
        if name == "__typename":
            return self.source.constant(kind.name), []
        if name.startswith("__"):
            raise Unsupported(Reason.INTROSPECTION)
        self._fields += 1
        if self._fields > self.fields_max:
            raise Unsupported(Reason.LARGE)
        definition = self.target.core.get_field(kind, name)
        if definition is None:
            raise Unsupported(Reason.OPERATION)
        one = Field(key, kind, definition, details, self.target)
        names = self._beneath(one)
        self._later.append(lambda: self._complete(one, names))
        return self._field(one, names)

    def _beneath(self, one: Field) -> dict[str, str]:
        """The functions for what is selected beneath a field, by the type they are for."""
        named = get_named_type(one.type)
        if is_leaf_type(named):
            return {}
        kinds = self.target.core.get_possible_types(named) if is_abstract_type(named) else [named]
        return {each.name: self._of_type(each, one) for each in kinds if self._is_known(each)}

    def _is_known(self, kind: Any) -> bool:
        """Whether its objects can be told here; if not, it is left to the stock executor."""
        return kind.is_type_of is None or is_type_test(kind.is_type_of)

    def _of_type(self, kind: Any, one: Field) -> str:
        return self.write(kind, self.collect(kind, one.details), one)

    def _complete(self, one: Field, names: dict[str, str]) -> None:
        objects: dict[str, Complete] = {n: self.source.names[f] for n, f in names.items()}
        one.complete = completion(one.type, one, objects)
        self.source.names[f"{self.source.constant(one)}c"] = known(one.type, one, objects)

    def _field(self, one: Field, names: dict[str, str]) -> tuple[str, list[str]]:
        """The variable that holds its value, and the lines before it."""
        call, v = self.calls.of(one), self.source.new("v")
        name = self.source.constant(one)
        add = f"w = (w, {self.source.constant(one.key)}, {v})"
        if call.waits:
            given = ", ".join(["R, s, p", *call.before])
            lines = [f"{v} = {self._waiting(one, call, names, given)}({given})", add]
        else:
            lines = [f"{v} = {call.expression}", *self._completed(one, names, "", "rare", v)]
            later = f"if {v}.__class__ is Coroutine: "
            if is_leaf_type(get_nullable_type(one.type)):
                # Only what was not as expected can be one.
                lines[-1:] = [*_opened_up(lines[-1]), f" {later}{add}"]
            else:
                guarded = f"{v} = {name}.guarded(R, {v}, p); " if self._may_fail_later(one) else ""
                lines += [f"{later}{guarded}{add}"]
        if call.check is not None:
            lines.insert(0, f"{call.check}(C)")
        elif call.waits and not call.before:
            return v, lines  # nothing of it runs yet
        lines = [*(f"{a} = {expression}" for a, expression in call.before.items()), *lines]
        return v, [
            "try:",
            *indented(lines),
            f"except Exception as e: {v} = {name}.fail(R, e, p, w)",
        ]

    def _may_fail_later(self, one: Field) -> bool:
        """Whether what is still to come may fail with an error that is to be caught here.

        Beneath an object that may not be null every error has its place, and goes on.
        """
        kind = one.type.of_type if is_non_null_type(one.type) else one.type
        return one.nullable or not is_object_type(kind)

    def _waiting(self, one: Field, call: Call, names: dict[str, str], parameters: str) -> str:
        """A coroutine that calls the resolver, waits for it and completes what it answers."""
        body = [f"v = await {call.expression}", *self._completed(one, names, "await ", "late", "v")]
        if not is_leaf_type(get_nullable_type(one.type)):
            body += ["if v.__class__ is Coroutine: v = await v"]
        failed = f"except Exception as e: return {self.source.constant(one)}.fail(R, e, p, None)"
        lines = ["try:", *indented([*body, "return v"]), failed]
        name = self.source.new("wait")
        return self.source.function(name, parameters, self._opened(lines), "async def")

    def _completed(
        self, one: Field, names: dict[str, str], awaits: str, otherwise: str, v: str
    ) -> list[str]:
        """Lines that complete `v`: at once where its class is known, else by its `Field`."""
        test, direct = self._direct(one, names, v)
        rest = f"{v} = {awaits}{self.source.constant(one)}.{otherwise}(R, {v}, p)"
        if direct is None:
            guard = f" and {v} is not None" if one.nullable else ""
            return [f"if not ({test}){guard}: {rest}"]
        also = f"elif {v} is not None" if one.nullable else "else"
        return [f"if {test}: {v} = {direct}", f"{also}: {rest}"]

    def _direct(self, one: Field, names: dict[str, str], v: str) -> tuple[str, str | None]:
        """A test of `v`, and what it becomes where the test is true; None: it stays."""
        kind: GraphQLOutputType = one.type.of_type if is_non_null_type(one.type) else one.type
        if (test := EXACT.get(kind)) is not None:
            return test.format(v), None
        plain = f"{v}.__class__ in plain"
        if is_leaf_type(kind):
            if (enum := self.target.leaves.names(kind)) is not None:
                python, shown = map(self.source.constant, enum)
                return f"{v}.__class__ is {python}", f"{shown}[{v}._name_]"
            return plain, f"{self.source.constant(self.target.leaves.completed(kind))}({v})"
        place = f"(p, {self.source.constant(one.key)}, {self.source.constant(one.parent.name)})"
        completed = f"{self.source.constant(one)}c(R, {v}, {place})"
        if is_list_type(kind):
            return f"{v}.__class__ is list", completed
        if is_object_type(kind) and kind.name in names:
            return plain, f"{names[kind.name]}(R, {v}, {place})"
        return plain, completed


def _opened_up(line: str) -> list[str]:
    """A condition and what it guards, on lines of their own."""
    condition, _, guarded = line.partition(": ")
    return [f"{condition}:", f" {guarded}"]
