"""A program written into a document that is there: what is the same keeps its place, its style and
its comments; what differs is changed in place; what is new comes last. What moves or goes takes its
comments along.
"""

from collections.abc import Mapping
from typing import Any

from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString
from ruamel.yaml.tokens import CommentToken

from loyalty_app.programs.remarks import Remarks
from loyalty_app.programs.yaml_text import plain, styled
from loyalty_tenants.config_diff import named, same


def put(document: Any, wanted: Mapping[str, Any], remarks: Remarks) -> None:
    """Make the values of a mapping what is wanted."""
    for key in [key for key in document if str(key) not in wanted]:
        del document[key]
    for key, value in wanted.items():
        if key not in document:
            document[key] = styled(value)
        else:
            _put_at(document, key, value, remarks)


def _put_at(holder: Any, key: Any, wanted: Any, remarks: Remarks) -> None:
    here = holder[key]
    if same(plain(here), wanted):
        return
    if isinstance(here, dict) and isinstance(wanted, Mapping):
        put(here, wanted, remarks)
    elif isinstance(here, list) and isinstance(wanted, list):
        _put_list(here, wanted, remarks)
    else:
        _replace(holder, key, wanted)


def _replace(holder: Any, key: Any, wanted: Any) -> None:
    """Another value in the same quotes. The comment beside it stays beside it, also where it
    becomes a block, whose comment stands at its head and not behind it."""
    here = holder[key]
    value = styled(wanted)
    if isinstance(here, DoubleQuotedScalarString) and type(value) is str:
        value = DoubleQuotedScalarString(value)
    holder[key] = value
    kept = getattr(holder, "ca", None) and holder.ca.items.get(key)
    if (
        kept
        and isinstance(value, LiteralScalarString)
        and not isinstance(here, LiteralScalarString | dict)
    ):
        beside, _, below = kept[2].value.partition("\n") if kept[2] else ("", "", "")
        if beside.startswith("#"):
            kept[3] = [f"  {beside}"]
            kept[2] = CommentToken(below, kept[2].start_mark) if below.strip() else None


def _put_list(here: Any, wanted: list[Any], remarks: Remarks) -> None:
    places = _places(plain(here), wanted)
    if places != list(range(len(here))):
        quoted = bool(here) and all(isinstance(one, DoubleQuotedScalarString) for one in here)
        things = [
            _new(value, quoted) if place is None else here[place]
            for place, value in zip(places, wanted, strict=True)
        ]
        comments = dict(here.ca.items)
        here.ca.items.clear()
        here[:] = things
        for index, place in enumerate(places):
            if place in comments:
                here.ca.items[index] = comments[place]
        remarks.moved(here, places)
    for index, value in enumerate(wanted):
        _put_at(here, index, value, remarks)


def _new(value: Any, quoted: bool) -> Any:
    return DoubleQuotedScalarString(value) if quoted and type(value) is str else styled(value)


def _places(old: list[Any], wanted: list[Any]) -> list[int | None]:
    """For each thing that is wanted the place of the one that it was; None: it is new.

    Things with names are found by them; of others those that are the same, and what is then left by
    its order.
    """
    before, after = named(old), named(wanted)
    if before is not None and after is not None:
        by_name = {name: index for index, name in enumerate(before)}
        return [by_name.get(name) for name in after]
    left = list(range(len(old)))
    places: list[int | None] = []
    for value in wanted:
        place = next((one for one in left if same(old[one], value)), None)
        places.append(place)
        if place is not None:
            left.remove(place)
    if any(isinstance(one, Mapping | list) for one in (*old, *wanted)):
        for index, place in enumerate(places):
            if place is None and left:
                places[index] = left.pop(0)
    return places
