"""A config in the order in which its kind's reference tells of it: the database keeps none."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from loyalty_app.installed import installed


def in_order(kind: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """The same config; as it is, where its kind is not installed here or reads it otherwise."""
    plugin = next((one for one in installed() if one.name == kind), None)
    if plugin is None:
        return dict(config)
    try:
        told = plugin.config.model_validate(config).model_dump(mode="json", exclude_unset=True)
    except ValidationError:
        return dict(config)
    ordered: dict[str, Any] = _as(told, config)
    # What is said in a word comes before what takes lines.
    return dict(sorted(ordered.items(), key=lambda one: isinstance(one[1], dict | list)))


def _as(told: Any, value: Any) -> Any:
    """A value with its keys in the order of another one."""
    if isinstance(value, Mapping) and isinstance(told, Mapping):
        keys = [key for key in told if key in value]
        keys += [key for key in value if key not in told]
        return {key: _as(told.get(key), value[key]) for key in keys}
    if isinstance(value, list) and isinstance(told, list) and len(value) == len(told):
        return [_as(one, item) for one, item in zip(told, value, strict=True)]
    return value
