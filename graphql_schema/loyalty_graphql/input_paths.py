"""The kernel's names of values as the inputs call them, so that a refusal points into the input."""

from collections.abc import Mapping
from types import MappingProxyType

from strawberry.utils.str_converters import to_camel_case

from loyalty.errors import Refused

_RENAMED: Mapping[str, str] = MappingProxyType(
    {
        "redemption_id": "redemption",
        "redemptionId": "redemption",
        "hold_for": "holdForSeconds",
        "holdFor": "holdForSeconds",
    }
)
# What lies under these has the client's own names.
_FREE = frozenset({"attributes", "config"})


def input_path(path: str) -> str:
    """`lines.0.tax_included` as `lines.0.taxIncluded`."""
    parts = path.split(".")
    ours = next((i for i, part in enumerate(parts) if part in _FREE), len(parts))
    return ".".join([*map(_input_name, parts[:ours]), *parts[ours:]])


def in_input_words(refused: Refused) -> Refused:
    """The same refusal with the field, and the fields that differ, as the input has them."""
    details = refused.details
    if isinstance(differs := details.get("differs"), list):
        details = {**details, "differs": [input_path(path) for path in differs]}
    field = None if refused.field is None else input_path(refused.field)
    return Refused(refused.code, refused.message, field=field, details=details)


def _input_name(name: str) -> str:
    return _RENAMED.get(name) or to_camel_case(name)
