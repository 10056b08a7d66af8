"""What every part of the config has in common."""

import re
from collections.abc import Callable
from functools import cached_property
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, ConfigDict, Field, JsonValue
from pydantic_core import PydanticCustomError

from loyalty.documented import Documented
from loyalty_earning.faults import faulty

T = TypeVar("T")
S = TypeVar("S", bound="Section")

LIST_MAX = 1_000  # entries of a category, sku or brand list


def written(pattern: str, words: str) -> BeforeValidator:
    """Text that does not fit a pattern is told in words how to write it. The pattern itself, in
    `Field`, is for the schema."""
    fits: Callable[[str], object] = re.compile(pattern).fullmatch

    def check(value: Any) -> Any:
        if isinstance(value, str) and not fits(value):
            raise PydanticCustomError("written", "{words}", {"words": words})
        return value

    return BeforeValidator(check)


_IDENTIFIER = r"^[a-z][a-z0-9_-]{0,62}$"

Name = Annotated[str, Field(min_length=1, max_length=200)]
Names = Annotated[tuple[Name, ...], Field(max_length=LIST_MAX)]
Identifier = Annotated[
    str,
    Field(pattern=_IDENTIFIER),
    written(
        _IDENTIFIER, "write a small letter, then small letters, digits, - and _, at most 63 in all"
    ),
]
"""What history names something by: lower case letters, digits, `-` and `_`."""
Identifiers = Annotated[tuple[Identifier, ...], Field(max_length=LIST_MAX)]


MIN_ONE: dict[str, JsonValue] = {"minItems": 1}  # for the schema; `has_some` sees to it


def has_some(entries: tuple[T, ...]) -> tuple[T, ...]:
    """For AfterValidator: `min_length` would count the valid entries only, and complain of the
    whole list beside each faulty one."""
    if not entries:
        raise PydanticCustomError("too_short", "must have at least 1 entry")
    return entries


def named_once(entries: tuple[T, ...], key: str) -> tuple[T, ...]:
    """:raises ValidationError: two of them are called the same"""
    names = [getattr(entry, key) for entry in entries]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise faulty([((index, key), f"the {key} {name} is used before")])
    return entries


class Section(Documented):
    """A part of the config: immutable, and a key it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


def changed(section: S, **keys: Any) -> S:
    """The same with other, valid keys; what was worked out of the old ones is worked out anew."""
    copy = section.model_copy(update=keys)
    for name in list(copy.__dict__):
        if isinstance(getattr(type(copy), name, None), cached_property):
            del copy.__dict__[name]
    return copy
