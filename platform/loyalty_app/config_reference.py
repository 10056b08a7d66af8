"""The reference of a plugin's config as a page: each key with its type, default and meaning.

It is written from the JSON Schema of the config, so it says what the program itself says.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from loyalty.plugin import Plugin

HEAD = """# {name}: every key

<!-- Written by `loyalty schema --write` from the config's own models. -->

{about} A key that is not here is refused by name.
"""


def reference(plugin: Plugin) -> str:
    """The page, in Markdown."""
    schema = plugin.config.model_json_schema()
    defs: Mapping[str, Any] = schema.get("$defs", {})
    parts = [HEAD.format(name=plugin.name.capitalize(), about=_first_line(schema))]
    parts.append(_table(schema, "The program", defs))
    parts += [
        _table(defs[name], name, defs)
        for name in _in_order(schema, defs)
        if "properties" in defs[name]
    ]
    return "\n".join(parts)


def _in_order(schema: Mapping[str, Any], defs: Mapping[str, Any]) -> list[str]:
    """The sections as a reader meets them: each after the one that names it first."""
    found: dict[str, None] = {}
    waiting = list(_named(schema.get("properties", {})))
    while waiting:
        name = waiting.pop(0)
        if name not in found:
            found[name] = None
            waiting[:0] = _named(defs[name])
    return list(found)


def _named(part: Any) -> Iterator[str]:
    """The sections that a part of the schema refers to."""
    match part:
        case {"$ref": str(ref)}:
            yield ref.rpartition("/")[2]
        case dict():
            for one in part.values():
                yield from _named(one)
        case list():
            for one in part:
                yield from _named(one)


def _table(schema: Mapping[str, Any], name: str, defs: Mapping[str, Any]) -> str:
    lines = [f"## {name}", ""]
    if name != "The program":
        lines += [_cell(schema.get("description", "")), ""]
    lines += ["| key | type | default | meaning |", "|---|---|---|---|"]
    required = schema.get("required", ())
    for key, value in schema["properties"].items():
        default = "required" if key in required else _default(value)
        meaning = _cell(value.get("description", ""))
        lines.append(f"| `{key}` | {_type(value, defs)} | {default} | {meaning} |")
    return "\n".join([*lines, ""])


def _type(value: Mapping[str, Any], defs: Mapping[str, Any]) -> str:
    match value:
        case {"$ref": str(ref)}:
            name = ref.rpartition("/")[2]
            if "properties" not in defs[name]:
                return _type(defs[name], defs)
            return f"[{name}](#{name.lower()})"
        case {"anyOf": list(choices)} | {"oneOf": list(choices)}:
            return " or ".join(_type(one, defs) for one in choices)
        case {"allOf": [one]}:
            return _type(one, defs)
        case {"const": const}:
            return f"`{const}`"
        case {"enum": list(choices)}:
            return " or ".join(f"`{one}`" for one in choices)
        case {"type": "array", "items": items}:
            return f"list of {_type(items, defs)}"
        case {"type": "object", "additionalProperties": dict(items)}:
            return f"{_type(items, defs)} by name"
        case {"type": "string", "examples": [example, *_]}:
            return f"text, such as `{example}`"
        case {"type": "null"}:
            return "null"
        case {"type": str(kind)}:
            return {"string": "text", "boolean": "true or false"}.get(kind, kind)
    return "anything"


def _default(value: Mapping[str, Any]) -> str:
    default = value.get("default")
    if isinstance(default, dict) and any(default.values()):
        return "see its keys"
    if default in ([], {}) or isinstance(default, dict):
        return "none"
    return f"`{json.dumps(default, ensure_ascii=False)}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _first_line(schema: Mapping[str, Any]) -> str:
    return _cell(schema.get("description", ""))
