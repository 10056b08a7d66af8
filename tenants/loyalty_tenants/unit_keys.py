"""Config keys named `unit` name a unit of the tenant, and an `amount` beside one is so much of it:
a typo is told before any purchase. What is no decimal number is something else, and its plugin's
affair."""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from loyalty.errors import Code, Refused
from loyalty.plugin import Connection, Means
from loyalty_tenants.config_errors import idle_keys
from loyalty_tenants.configs import Checked
from loyalty_tenants.tenants import tenant

_NUMBER = re.compile(r"-?[0-9]+(?:\.([0-9]+))?")


async def check_units(connection: Connection, checked: Checked) -> None:
    """:raises Refused: BAD_CONFIG with the path of what names no unit, or of the first
    amount that its unit has no places for; of a draft also of what gives nothing here"""
    rows = await connection.fetch("select code, places from loyalty.unit order by code")
    places = {row["code"]: row["places"] for row in rows}
    for path, code, amount in _units_in(checked.plain, "config"):
        if code not in places:
            near = get_close_matches(code, places, n=1)
            hint = f"did you mean {near[0]!r}?" if near else "create it first, by createUnit"
            fault = f"the tenant has no unit {code!r}: {hint}"
            raise Refused(Code.BAD_CONFIG, fault, field=f"{path}.unit")
        if amount is not None and _places_of(amount) > places[code]:
            fault = f"has more than the {places[code]} decimal places of {code!r}"
            raise Refused(Code.BAD_CONFIG, fault, field=f"{path}.amount")
    if checked.fruitless is not None:
        means = Means(places, (await tenant(connection)).currencies)
        if found := list(checked.fruitless(means)):
            raise idle_keys(found, checked.plain)


def _places_of(amount: str) -> int:
    """How many decimal places a number needs; 0 of a text that is none."""
    found = _NUMBER.fullmatch(amount)
    return 0 if found is None else len((found[1] or "").rstrip("0"))


def _units_in(value: Any, path: str) -> Iterator[tuple[str, str, str | None]]:
    if isinstance(value, Mapping):
        if isinstance(code := value.get("unit"), str):
            amount = value.get("amount")
            yield path, code, amount if isinstance(amount, str) else None
        for key, inner in value.items():
            yield from _units_in(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _units_in(inner, f"{path}.{index}")
