"""Says what is wrong with a config: the path of the key at fault and the nearest known key."""

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError

from loyalty.errors import Code, Refused
from loyalty.plugin import IdleKey

ERRORS_MAX = 20
KNOWN_MAX = 12
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

Schema = Mapping[str, Any]

# What pydantic says of such faults names its own types.
_WORDS = {
    "model_type": "must be an object",
    "dict_type": "must be an object of keys and their values",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "string_type": "must be text: write it in quotes",
    "bool_type": "must be true or false, without quotes",
    "int_type": "must be a whole number, without quotes",
}
_SHOULD = re.compile(r"^(?:Input|String|Value) should ")


def refusal(error: ValidationError, config: Any, model: type[BaseModel]) -> Refused:
    """One refusal for all that is wrong; it names the first key, `details` lists the others."""
    schema = model.model_json_schema()
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    # A mistyped key first: it explains the one that is missing.
    faults.sort(key=lambda fault: fault["type"] != "extra_forbidden")
    found = [
        {
            "field": _path(fault["loc"], config, fault["type"]),
            "message": said_of(fault, schema) + _meant(fault, config),
        }
        for fault in faults[:ERRORS_MAX]
    ]
    return _refused(found)


def idle_keys(keys: Sequence[IdleKey], config: Any) -> Refused:
    """One refusal for all keys that would do nothing, or not keep what was promised."""
    return _refused(
        [
            {"field": _path(path, config, "idle"), "message": text}
            for path, text in keys[:ERRORS_MAX]
        ]
    )


def _refused(found: Sequence[Mapping[str, str]]) -> Refused:
    first = found[0]
    return Refused(
        Code.BAD_CONFIG, first["message"], field=first["field"], details={"errors": found}
    )


def unknown_key(key: str, known: Iterable[str]) -> str:
    """What to say of a key that nobody knows: the nearest known one, or which there are."""
    names = sorted(known)
    near = get_close_matches(_HUMP.sub("_", key).lower(), names, n=1, cutoff=0.6)
    if near:
        return f"unknown key {key!r}: did you mean {near[0]!r}?"
    if not names:
        return f"unknown key {key!r}: none is known here"
    listed = ", ".join(names[:KNOWN_MAX]) + (", …" if len(names) > KNOWN_MAX else "")
    return f"unknown key {key!r}: known here are {listed}"


def said_of(fault: Mapping[str, Any], schema: Schema) -> str:
    """What to say of one fault that pydantic found in what `schema` describes."""
    if fault["type"] == "extra_forbidden":
        *parents, key = fault["loc"]
        return unknown_key(str(key), _known_keys(schema, parents))
    if fault["type"] == "missing":
        return "is needed"
    if (words := _WORDS.get(fault["type"])) is not None:
        return words
    return _SHOULD.sub("must ", str(fault["msg"]).removeprefix("Value error, "))


def _meant(fault: Mapping[str, Any], config: Any) -> str:
    """Which of the words that may stand there is nearest to the one that does."""
    if fault["type"] not in ("enum", "literal_error"):
        return ""
    here = config
    for step in fault["loc"]:
        try:
            here = here[step]
        except (KeyError, IndexError, TypeError):
            continue  # a branch of a union
    words = re.findall(r"'(.+?)'", str(fault["msg"]))
    by_letters = {word.lower(): word for word in words}
    given = here.lower() if isinstance(here, str) else ""
    near = get_close_matches(given, by_letters, n=1, cutoff=0.6)
    return f": did you mean '{by_letters[near[0]]}'?" if near else ""


def _path(loc: Sequence[int | str], config: Any, kind: str) -> str:
    """The path in what was sent. pydantic also names branches of unions, which nobody wrote."""
    parts, here = ["config"], config
    for step in loc:
        if isinstance(here, Mapping) and step in here:
            here = here[step]
        elif isinstance(here, Sequence) and not isinstance(here, str) and isinstance(step, int):
            here = here[step] if step < len(here) else None
        else:
            continue
        parts.append(str(step))
    if kind == "missing":
        parts.append(str(loc[-1]))
    return ".".join(parts)


def _known_keys(schema: Schema, parents: Sequence[int | str]) -> set[str]:
    """The keys that may stand where a path leads to."""
    here = _alternatives(schema, schema)
    for step in parents:
        deeper = [found for one in here for found in _step(one, step)]
        if deeper:  # otherwise the step names a branch of a union: stay
            here = [found for one in deeper for found in _alternatives(one, schema)]
    return {key for one in here for key in one.get("properties", ())}


def _step(schema: Schema, step: int | str) -> Iterable[Schema]:
    if isinstance(step, int):
        items = schema.get("items")
        return [items] if isinstance(items, Mapping) else []
    if step in schema.get("properties", {}):
        return [schema["properties"][step]]
    extra = schema.get("additionalProperties")
    return [extra] if isinstance(extra, Mapping) else []


def _alternatives(schema: Schema, root: Schema) -> list[Schema]:
    """A schema with its references followed and its unions laid out side by side."""
    if "$ref" in schema:
        return _alternatives(root["$defs"][schema["$ref"].rsplit("/", 1)[-1]], root)
    branches = [
        found
        for word in ("anyOf", "oneOf", "allOf")
        for branch in schema.get(word, ())
        for found in _alternatives(branch, root)
    ]
    return [schema, *branches]
