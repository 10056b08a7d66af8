"""Inputs: from the JSON of a request straight to what resolvers take, one function for each type.

graphql-core coerces a value to dicts, strawberry converts them to its classes, and both look up
again for each value what its type is. Here both are one step that knows the type. What it does not
know how to read it does not read: then graphql-core decides, and its errors are the errors.
"""

from collections.abc import Callable
from dataclasses import MISSING as NO_DEFAULT
from typing import Any

from graphql import (
    GraphQLInputObjectType,
    GraphQLInputType,
    is_input_object_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_required_input_field,
)
from graphql.pyutils import Undefined
from graphql.utilities.coerce_input_value import coerce_default_value, coerce_input_value
from strawberry import Schema
from strawberry.relay import GlobalID
from strawberry.types.arguments import InputContext, convert_argument
from strawberry.types.base import (
    StrawberryList,
    StrawberryMaybe,
    StrawberryObjectDefinition,
    StrawberryOptional,
    get_object_definition,
)
from strawberry.types.lazy_type import LazyType

from compiled_graphql.frozen import is_frozen
from compiled_graphql.leaves import EXACT
from compiled_graphql.run import MISSING
from compiled_graphql.source import Source, indented, named

Take = Callable[[Any], Any]

AS_USUAL = "__builds_as_usual__"
"""Set on a `from_input` hook that builds what strawberry would build without it."""


_ALWAYS = "if True:"


class Unusual(Exception):
    """A value that the fast way does not read: graphql-core decides."""


class ByTheBook(Exception):
    """While compiling: this argument or variable is left to graphql-core and strawberry."""


class Inputs:
    """The input types of a schema, compiled as they are met. No client adds to them."""

    def __init__(self, schema: Schema) -> None:
        self._converter = schema.schema_converter
        self._names = schema.schema_converter.config.name_converter
        self._takes: dict[str, Take] = {}
        self._under_way: list[str] = []

    def convert(self, coerced: Any, kind: Any) -> Any:
        """What strawberry makes of a coerced value."""
        return convert_argument(
            coerced, kind, self._converter.scalar_registry, self._converter.config
        )

    def builder(self, kind: Any) -> Take:
        """The same, ready to be called again and again."""
        inner = plain_type(kind)
        definition = None if _is_wrapped(inner) else get_object_definition(inner)
        if definition is None or definition.from_input is None:
            return lambda coerced: self.convert(coerced, kind)
        build = definition.from_input
        context = InputContext(
            info=None,
            config=self._converter.config,
            scalar_registry=self._converter.scalar_registry,
            path=(),
        )
        return lambda coerced: None if coerced is None else build(inner, coerced, context)

    def is_kept_as_is(self, kind: Any) -> bool:
        """Whether strawberry hands over a coerced value of this type unchanged."""
        inner = plain_type(kind)
        if inner is None or _is_wrapped(inner):
            return False
        return inner is not GlobalID and get_object_definition(inner) is None

    def check(self, kind: Any, within: tuple[Any, ...] = ()) -> None:
        """Do nothing, or say that this type has a way of its own to be built.

        :raises ByTheBook: a `from_input` hook, which gets `info` and the path
        """
        inner = plain_type(kind)
        if _is_wrapped(inner):
            self.check(inner.of_type, within)
            return
        definition = get_object_definition(inner)
        if definition is None or inner in within:
            return
        if not builds_as_usual(definition):
            raise ByTheBook
        for field in definition.fields:
            self.check(field.resolve_type(type_definition=definition), (*within, inner))

    def take(self, type_: GraphQLInputType, kind: Any) -> Take:
        """A function from JSON to what a resolver takes. `kind` is strawberry's type.

        It raises `Unusual`, or whatever a class raises that is built.

        :raises ByTheBook: it cannot be made
        """
        self.check(kind)
        source = Source({"Unusual": Unusual, "MISSING": MISSING})
        lines = [*self._reading(type_, kind, source), "return v"]
        name = source.function(source.new("take"), "v", lines)
        source.run()
        found: Take = source.names[name]
        return found

    def _reading(self, type_: GraphQLInputType, kind: Any, source: Source) -> list[str]:
        """Lines that turn `v`, as it was sent, into what it is to be."""
        if is_non_null_type(type_):
            inner = self._reading(type_.of_type, kind, source)
            return ["if v is None: raise Unusual", *(inner[1:] and _dedented(inner))]
        kind = plain_type(kind)
        if isinstance(kind, StrawberryMaybe):  # for which null is a value, too
            return [_ALWAYS, f" v = {source.constant(self._slowly(type_, kind))}(v)"]
        if is_leaf_type(type_) and kind is not GlobalID:
            read = source.constant(type_.coerce_input_value)
            test = EXACT.get(type_, "False").format("v")
            body = [f"if not ({test}): v = {read}(v)"]
        elif is_list_type(type_) and isinstance(kind, StrawberryList):
            item = self._reading(type_.of_type, kind.of_type, source)
            name = source.function(source.new("item"), "v", [*item, "return v"])
            body = ["if v.__class__ is not list: raise Unusual", f"v = [{name}(v) for v in v]"]
        elif is_input_object_type(type_) and self._is_object(type_, kind):
            body = [f"v = {source.constant(self._object(type_, kind))}(v)"]
        else:
            body = [f"v = {source.constant(self._slowly(type_, kind))}(v)"]
        return ["if v is not None:", *indented(body)]

    def _slowly(self, type_: GraphQLInputType, kind: Any) -> Take:
        def read(value: Any) -> Any:
            coerced = coerce_input_value(value, type_)
            if coerced is Undefined:
                raise Unusual
            return self.convert(coerced, kind)

        return read

    def _is_object(self, type_: GraphQLInputObjectType, kind: Any) -> bool:
        """Whether its class is built from all of its fields and nothing else."""
        definition = get_object_definition(kind)
        if definition is None or type_.is_one_of:
            return False
        # strawberry judges its "one of" types there: as below, where one is made.
        if not definition.is_one_of and type_.out_type is not GraphQLInputObjectType.out_type:
            return False
        shown = {self._names.from_field(each) for each in definition.fields}
        return shown == set(type_.fields) and not any(
            each.out_name not in (None, name) for name, each in type_.fields.items()
        )

    def _object(self, type_: GraphQLInputObjectType, kind: type) -> Take:
        if type_.name in self._under_way:
            raise ByTheBook  # a type within itself: graphql-core bounds how deep a value may be
        key = type_.name
        if (known := self._takes.get(key)) is not None:
            return known
        self._under_way.append(type_.name)
        try:
            self._takes[key] = made = self._made(type_, kind)
        finally:
            self._under_way.pop()
        return made

    def _made(self, type_: GraphQLInputObjectType, kind: type) -> Take:
        definition = get_object_definition(kind, strict=True)
        source = Source({"Unusual": Unusual, "MISSING": MISSING})
        body, given = ["if x.__class__ is not dict: raise Unusual", "n = 0"], list[str]()
        if definition.is_one_of:
            body += ["if len(x) != 1 or None in x.values(): raise Unusual"]
        for index, field in enumerate(definition.fields):
            shown = self._names.from_field(field)
            python = field.resolve_type(type_definition=definition)
            absent = self._absent(type_.fields[shown], field, python, source)
            body += [
                f"v = x.get({source.constant(shown)}, MISSING)",
                f"if v is MISSING: {absent}",
                "else:",
                " n += 1",
                *indented(self._reading(type_.fields[shown].type, python, source)),
                f"v{index} = v",
            ]
            given.append(f"{named(field.python_name)}=v{index}")
        body += ["if n != len(x): raise Unusual"]
        body += [f"return {source.constant(kind)}({', '.join(given)})"]
        name = source.function(source.new("build"), "x", body)
        source.run()
        made: Take = source.names[name]
        return made

    def _absent(self, shown: Any, field: Any, python: Any, source: Source) -> str:
        """What is done where a field was not sent."""
        if is_required_input_field(shown):
            return "raise Unusual"
        default = coerce_default_value(shown)
        if default is not Undefined:
            if not is_frozen(default):
                raise ByTheBook
            if self.is_kept_as_is(python):
                return f"v = {source.constant(default)}"
            return f"v = {source.constant(lambda: self.convert(default, python))}()"
        if field.default_factory is not NO_DEFAULT:
            return f"v = {source.constant(field.default_factory)}()"
        return f"v = {source.constant(None if field.default is NO_DEFAULT else field.default)}"


def plain_type(kind: Any) -> Any:
    """A type of strawberry without what only says that it may be null or comes later."""
    while True:
        if isinstance(kind, LazyType):
            kind = kind.resolve_type()
        elif isinstance(kind, StrawberryOptional) and not isinstance(kind, StrawberryMaybe):
            kind = kind.of_type
        else:
            return kind


def _is_wrapped(kind: Any) -> bool:
    return isinstance(kind, StrawberryList | StrawberryMaybe)


def builds_as_usual(definition: StrawberryObjectDefinition) -> bool:
    return definition.from_input is None or getattr(definition.from_input, AS_USUAL, False)


def _dedented(lines: list[str]) -> list[str]:
    """The body of `if v is not None:`, once null is out of the question."""
    return [line[1:] for line in lines[1:]]
