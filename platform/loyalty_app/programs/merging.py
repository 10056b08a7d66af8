"""A program written into a document that is there: what is the same keeps its place, its style and
its comments; what differs is changed in place; what is new comes last.
"""

from collections.abc import Mapping
from typing import Any

from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString
from ruamel.yaml.tokens import CommentToken

from loyalty_app.programs.yaml_text import plain, styled
from loyalty_tenants.config_diff import named, same


def put(document: Any, wanted: Mapping[str, Any]) -> None:
    """Make the values of a mapping what is wanted."""
    for key in [key for key in document if str(key) not in wanted]:
        del document[key]
    for key, value in wanted.items():
        if key not in document:
            document[key] = styled(value)
        else:
            _put_at(document, key, value)


def _put_at(holder: Any, key: Any, wanted: Any) -> None:
    here = holder[key]
    if same(plain(here), wanted):
        return
    if isinstance(here, dict) and isinstance(wanted, Mapping):
        put(here, wanted)
    elif isinstance(here, list) and isinstance(wanted, list):
        _put_list(here, wanted)
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


def _put_list(here: Any, wanted: list[Any]) -> None:
    """Things with names are found by them, others by their place."""
    old, new = named(here), named(wanted)
    if old is not None and new is not None and list(old) != list(new):
        _reorder(here, old, new)
    for index, value in enumerate(wanted):
        if index < len(here):
            _put_at(here, index, value)
        else:
            here.append(styled(value))
    del here[len(wanted) :]


def _reorder(here: Any, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Each thing at the index that it is wanted at, with the comments that stand at it."""
    comments = dict(getattr(here.ca, "items", {}))
    places = {name: index for index, name in enumerate(old)}
    things = [old.get(name) if name in old else styled(value) for name, value in new.items()]
    here.ca.items.clear()
    here[:] = things
    for index, name in enumerate(new):
        if name in places and places[name] in comments:
            here.ca.items[index] = comments[places[name]]
