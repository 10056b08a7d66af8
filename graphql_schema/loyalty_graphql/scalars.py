"""The scalars of the schema: amounts as text, instants with an offset, bounded JSON."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NewType

import orjson
import strawberry
from graphql import GraphQLError, StringValueNode, ValueNode
from strawberry.types.scalar import ScalarDefinition

from loyalty.units import AMOUNT_LENGTH_MAX
from loyalty_graphql.bounded_json import ATTRIBUTES, CONFIG, check_json

Decimal = NewType("Decimal", str)
"""An amount as its text. The mutation checks it, so that a bad one is a user error with a path."""

Json = NewType("Json", object)
"""Any JSON value within bounds: attributes of a member or a line, details."""

Config = NewType("Config", object)
"""A program's config: JSON within wider bounds, checked by the program's kind when it is saved."""

BatchItems = NewType("BatchItems", list[Any])
"""The items of a batch mutation, unchecked: each is validated by itself and answered by itself."""

Csv = NewType("Csv", str)
"""Text of a CSV file, unchecked: each line is validated by the mutation."""

BATCH_ITEMS_MAX = 500
CSV_MAX = 1024 * 1024

_RFC_3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?P<offset>[Zz]|[+-]\d\d:\d\d)?", re.ASCII
)
_EXAMPLE = "2026-03-01T12:00:00+01:00"
LAST = datetime.max.replace(tzinfo=UTC)  # what the driver writes as "infinity", no instant


def text_literal(parse: Callable[[object], object]) -> Callable[..., object]:
    """Read a literal: only a string is one, not a bare word, which would be text to the parser."""

    def read(node: ValueNode, variables: object = None) -> object:
        return parse(node.value if isinstance(node, StringValueNode) else None)

    return read


def parse_decimal(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str):
        raise GraphQLError('send amounts as strings, such as "12.50"')
    if len(value) > AMOUNT_LENGTH_MAX:
        raise GraphQLError(f"an amount has at most {AMOUNT_LENGTH_MAX} characters")
    return Decimal(value)


def show_decimal(value: object) -> str:
    """The canonical text as the resolver made it; a number here would be a mistake of ours."""
    if not isinstance(value, str):
        raise GraphQLError("an amount was not given as its canonical text")
    return value


def parse_instant(value: object) -> datetime:
    match = _RFC_3339.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise GraphQLError(f"send an instant as RFC 3339 text, such as {_EXAMPLE}")
    if match["offset"] is None:
        raise GraphQLError(f"name the offset from UTC, such as {_EXAMPLE} or ...Z")
    try:
        instant = datetime.fromisoformat(match[0].upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise GraphQLError("there is no such instant in the calendar") from None
    if instant == LAST:
        raise GraphQLError("that is the end of the calendar: leave out what never ends")
    return instant


def show_instant(value: object) -> str:
    """UTC with a `Z`; a naive datetime here would be a mistake of ours."""
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise GraphQLError("an instant was given without its offset")
    instant = value if value.tzinfo is UTC else value.astimezone(UTC)
    text = orjson.dumps(instant, option=orjson.OPT_UTC_Z)  # isoformat takes three times as long
    return text[1:-1].decode()


def parse_json(value: object) -> Json:
    check_json(value)
    return Json(value)


def parse_config(value: object) -> Config:
    check_json(value, CONFIG)
    return Config(value)


def parse_items(value: object) -> BatchItems:
    if not isinstance(value, list):
        raise GraphQLError("send the items of a batch as a list")
    if len(value) > BATCH_ITEMS_MAX:
        raise GraphQLError(f"a batch has at most {BATCH_ITEMS_MAX} items, this one {len(value)}")
    return BatchItems(value)


def parse_csv(value: object) -> Csv:
    if not isinstance(value, str):
        raise GraphQLError("send the text of a CSV file as a string")
    if len(value) > CSV_MAX:
        raise GraphQLError(f"a CSV text has at most {CSV_MAX // 1024:,} KB")
    return Csv(value)


SCALARS: Mapping[object, ScalarDefinition] = {
    Decimal: strawberry.scalar(
        name="Decimal",
        description="An exact decimal number as a string, such as `12.50`. Numbers are refused, "
        "since many readers round them. Answers have exactly the places of their unit.",
        serialize=show_decimal,
        parse_value=parse_decimal,
        parse_literal=text_literal(parse_decimal),
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        description=f"An instant as RFC 3339 text with its offset, such as `{_EXAMPLE}`. "
        "Answers are in UTC and end in `Z`.",
        specified_by_url="https://datatracker.ietf.org/doc/html/rfc3339",
        serialize=show_instant,
        parse_value=parse_instant,
        parse_literal=text_literal(parse_instant),
    ),
    Json: strawberry.scalar(
        name="JSON",
        description=f"Any JSON value: {ATTRIBUTES}.",
        parse_value=parse_json,
    ),
    Config: strawberry.scalar(
        name="Config",
        description="The configuration of a program as a JSON object, by the JSON Schema of its "
        f"kind: {CONFIG}, 128 KB in all. Send it as a variable.",
        parse_value=parse_config,
    ),
    BatchItems: strawberry.scalar(
        name="BatchItems",
        description=f"A JSON list of at most {BATCH_ITEMS_MAX} items, by the JSON Schema that the "
        "mutation names. Each item is validated, settled and answered by itself.",
        parse_value=parse_items,
    ),
    Csv: strawberry.scalar(
        name="Csv",
        description=f"The text of a CSV file (RFC 4180), at most {CSV_MAX // 1024:,} KB. Send "
        "it as a variable.",
        parse_value=parse_csv,
        parse_literal=text_literal(parse_csv),
    ),
}
BIG_SCALARS = frozenset({"BatchItems", "Csv"})
