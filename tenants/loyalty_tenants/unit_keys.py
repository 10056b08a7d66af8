"""Config keys named `unit` name a unit of the tenant: a typo is told before any purchase."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from loyalty.errors import Code, Refused
from loyalty.plugin import Connection


async def check_units(connection: Connection, config: Mapping[str, Any]) -> None:
    """:raises Refused: BAD_CONFIG with the path of the first key that names no unit"""
    rows = await connection.fetch("select code from loyalty.unit order by code")
    codes = [row["code"] for row in rows]
    for path, code in _units_in(config, "config"):
        if code not in codes:
            near = get_close_matches(code, codes, n=1)
            hint = f"did you mean {near[0]!r}?" if near else "create it first, by createUnit"
            raise Refused(Code.BAD_CONFIG, f"the tenant has no unit {code!r}: {hint}", field=path)


def _units_in(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key == "unit" and isinstance(inner, str):
                yield f"{path}.{key}", inner
            else:
                yield from _units_in(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _units_in(inner, f"{path}.{index}")
