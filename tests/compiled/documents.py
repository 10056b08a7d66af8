"""Operations made up over a whole schema, with variables that fit and some that do not."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLNamedType,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_enum_type,
    is_input_object_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_required_argument,
    is_required_input_field,
)

DEPTH = 4
ODD: tuple[Any, ...] = (None, -1, 3.5, True, "odd", [], {}, [None], {"odd": 1}, 2**40, ["x"])
INSTANT = "2026-03-01T12:00:00Z"
SCALARS: dict[str, Callable[[Random], Any]] = {
    "String": lambda r: r.choice(["", "ada", "o'neil", "\u00e9\u4e2d"]),
    "ID": lambda r: r.choice(["TWVtYmVyOjE", "x", 7]),
    "Int": lambda r: r.choice([0, 1, 5, 2**31 - 1]),
    "Float": lambda r: r.choice([0.5, 2, -1.25]),
    "Boolean": lambda r: r.random() < 0.5,
    "DateTime": lambda r: r.choice([INSTANT, "2026-03-01T12:00:00+01:00"]),
    "Decimal": lambda r: r.choice(["1", "12.50"]),
    "BatchItems": lambda r: [{"n": r.randrange(3)}],
}


def _text(random: Random) -> Any:
    return "text"


@dataclass(slots=True)
class Made:
    """A document and what is sent with it."""

    text: str
    variables: dict[str, Any]


@dataclass(slots=True)
class Maker:
    schema: GraphQLSchema
    random: Random
    variables: dict[str, Any] = field(default_factory=dict)
    declared: list[str] = field(default_factory=list)
    fragments: dict[str, str] = field(default_factory=dict)
    names: int = 0
    left: int = 40  # fields that may still be asked for

    def make(self) -> Made:
        is_mutation = self.random.random() < 0.3
        root = self.schema.mutation_type if is_mutation else self.schema.query_type
        assert root is not None
        body = self._selection(root, 0)
        head = "mutation" if is_mutation else "query"
        given = f"({', '.join(self.declared)})" if self.declared else ""
        return Made("\n".join([f"{head}{given} {body}", *self.fragments.values()]), self.variables)

    def _selection(self, kind: GraphQLNamedType, depth: int) -> str:
        parts = list(self._parts(kind, depth)) or ["__typename"]
        if self.random.random() < 0.15:
            parts.append(self.random.choice(parts))  # merged with itself
        return "{ " + " ".join(parts) + " }"

    def _parts(self, kind: Any, depth: int) -> Iterator[str]:
        fields = {} if is_abstract_type(kind) and not hasattr(kind, "fields") else kind.fields
        names = [n for n in fields if depth < DEPTH or is_leaf_type(get_named_type(fields[n].type))]
        self.random.shuffle(names)
        for name in names[: self.random.randint(1, 4)]:
            if self.left > 0:
                self.left -= 1
                yield self._field(name, fields[name], depth)
        if self.random.random() < 0.2:
            yield "__typename"
        if is_abstract_type(kind):
            possible = list(self.schema.get_possible_types(kind))
            for each in self.random.sample(possible, min(len(possible), self.random.randint(1, 3))):
                yield self._fragment(each, depth)
        elif self.random.random() < 0.15 and depth < DEPTH and self.left > 0:
            yield self._fragment(kind, depth)

    def _fragment(self, kind: GraphQLNamedType, depth: int) -> str:
        selection = self._selection(kind, depth)
        if self.random.random() < 0.6:
            return f"... on {kind.name}{self._condition()} {selection}"
        name = f"F{len(self.fragments)}"
        self.fragments[name] = f"fragment {name} on {kind.name} {selection}"
        return f"...{name}{self._condition()}"

    def _field(self, name: str, definition: GraphQLField, depth: int) -> str:
        alias = f"{self._name()}: " if self.random.random() < 0.2 or definition.args else ""
        given = [
            f"{arg}: {self._value(one.type, one)}"
            for arg, one in definition.args.items()
            if is_required_argument(one) or self.random.random() < 0.4
        ]
        named = get_named_type(definition.type)
        below = "" if is_leaf_type(named) else " " + self._selection(named, depth + 1)
        arguments = f"({', '.join(given)})" if given else ""
        return f"{alias}{name}{arguments}{self._condition()}{below}"

    def _condition(self) -> str:
        if self.random.random() > 0.08:
            return ""
        directive = self.random.choice(["skip", "include"])
        if self.random.random() < 0.5:
            return f" @{directive}(if: {self.random.choice(['true', 'false'])})"
        return (
            f" @{directive}(if: {self._variable('Boolean!', lambda: self.random.random() < 0.5)})"
        )

    def _value(self, kind: GraphQLInputType, given: GraphQLArgument | None) -> str:
        """A literal or a variable."""
        if self.random.random() < 0.45:
            return self._variable(self._declared_as(kind, given), lambda: self.json(kind))
        return self._literal(kind)

    def _declared_as(self, kind: GraphQLInputType, given: GraphQLArgument | None) -> str:
        if is_non_null_type(kind) or self.random.random() < 0.7:
            return str(kind)
        return f"{kind}!"

    def _variable(self, kind: str, value: Callable[[], Any]) -> str:
        name = self._name()
        default = ""
        if self.random.random() < 0.1 and kind.rstrip("!") in ("Int", "String", "Boolean"):
            default = {"Int": " = 2", "String": ' = "d"', "Boolean": " = true"}[kind.rstrip("!")]
            kind = kind.rstrip("!") if self.random.random() < 0.5 else kind
        self.declared.append(f"${name}: {kind}{default}")
        chance = self.random.random()
        if chance < 0.96:
            self.variables[name] = value()
        elif chance < 0.98:
            self.variables[name] = self.random.choice(ODD)
        return f"${name}"

    def _name(self) -> str:
        self.names += 1
        return f"n{self.names}"

    def _literal(self, kind: Any) -> str:
        if is_non_null_type(kind):
            return self._literal(kind.of_type)
        if is_list_type(kind):
            items = [self._value(kind.of_type, None) for _ in range(self.random.randrange(3))]
            return f"[{', '.join(items)}]"
        if is_enum_type(kind):
            return str(self.random.choice(list(kind.values)))
        if is_input_object_type(kind):
            parts = [f"{n}: {self._value(f.type, None)}" for n, f in self._chosen(kind)]
            return "{" + ", ".join(parts) + "}"
        if kind.name in ("JSON", "Config"):
            return self.random.choice(['{a: 1, b: ["x"]}', "3", '"text"', "{}"])
        made = SCALARS.get(kind.name, _text)(self.random)
        return "[]" if isinstance(made, list) else json.dumps(made)

    def _chosen(self, kind: GraphQLInputObjectType) -> list[tuple[str, Any]]:
        if _is_one_of(kind):
            return [self.random.choice(list(kind.fields.items()))]
        return [
            (name, one)
            for name, one in kind.fields.items()
            if is_required_input_field(one) or self.random.random() < 0.4
        ]

    def json(self, kind: Any) -> Any:
        """A value as it is sent; now and then one that does not fit."""
        if self.random.random() < 0.004:
            return self.random.choice(ODD)
        if is_non_null_type(kind):
            return self.json(kind.of_type)
        if self.random.random() < 0.02:
            return None
        if is_list_type(kind):
            return [self.json(kind.of_type) for _ in range(self.random.randrange(3))]
        if is_input_object_type(kind):
            return {name: self.json(one.type) for name, one in self._chosen(kind)}
        if isinstance(kind, GraphQLEnumType):
            return self.random.choice(list(kind.values))
        if kind.name in ("JSON", "Config"):
            return self.random.choice([{"a": [1, None]}, 3, "text", []])
        return SCALARS.get(kind.name, _text)(self.random)


def _is_one_of(kind: GraphQLInputObjectType) -> bool:
    definition = kind.extensions.get("strawberry-definition")
    return kind.is_one_of or bool(getattr(definition, "is_one_of", False))
