"""Kinds of activities that a tenant defines: what they are called and what is told of them."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any

import orjson
from jsonschema_rs import ReferencingError, RegexOptions, ValidationError, meta, validator_for
from pydantic import AfterValidator, Field, JsonValue
from pydantic_core import PydanticCustomError

from loyalty.plugin import ActivityType as Declared
from loyalty_earning.section import Name, Section

TYPES_MAX = 200
SCHEMA_MAX = 16_384  # bytes
FAULTS_MAX = 10
REGEX = RegexOptions()  # linear in time, whatever a tenant writes as a pattern


def _nothing_outside(uri: str) -> Any:
    raise ValueError(f"{uri} is outside: write everything into the schema itself")


def _validator(schema: Mapping[str, Any]) -> Any:
    return validator_for(dict(schema), retriever=_nothing_outside, pattern_options=REGEX)


def _is_schema(schema: dict[str, JsonValue]) -> dict[str, JsonValue]:
    try:
        size = len(orjson.dumps(schema))
    except TypeError as fault:  # a number beyond 64 bits, which no JSON reader takes
        raise PydanticCustomError("schema", "{fault}", {"fault": str(fault)}) from None
    if size > SCHEMA_MAX:
        raise PydanticCustomError("schema", "must be at most 16 KiB as JSON")
    try:
        meta.validate(schema)
        _validator(schema)
    except (ValidationError, ReferencingError, ValueError) as fault:
        message = str(fault).split("\n", maxsplit=1)[0]
        raise PydanticCustomError("schema", "{fault}", {"fault": message}) from None
    return schema


class ActivityType(Section):
    """Something that members do besides buying."""

    type: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.-]{0,63}$")]
    """What `recordActivity` calls it, such as `check_in`."""
    label: Name
    """What admins read."""
    attributes: Annotated[
        dict[str, JsonValue], Field(default_factory=dict), AfterValidator(_is_schema)
    ]
    """JSON Schema (draft 2020-12) of its attributes; anything else is refused."""

    @cached_property
    def _check(self) -> Any:
        return _validator(self.attributes)

    def faults(self, attributes: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Where attributes do not fit the schema, as (path, what is wrong)."""
        for at, error in enumerate(self._check.iter_errors(dict(attributes))):
            if at == FAULTS_MAX:
                return
            yield ".".join(str(part) for part in error.instance_path), error.message

    @cached_property
    def declared(self) -> Declared:
        return Declared(
            type=self.type, label=self.label, schema=self.attributes, faults=self.faults
        )
