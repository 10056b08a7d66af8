"""A program as a file: a new one, or one that is there and keeps its comments."""

from collections.abc import Mapping, Sequence
from typing import Any

from loyalty_app.problem import Problem
from loyalty_app.programs.merging import put
from loyalty_app.programs.ordering import in_order
from loyalty_app.programs.program_file import parsed
from loyalty_app.programs.remarks import put_back, read_off
from loyalty_app.programs.yaml_text import dump, plain, styled


def exported(
    program: Mapping[str, Any], units: Sequence[Mapping[str, Any]], *, into: str | None, path: str
) -> str:
    """The text of a program file; `into` is the text of the one that is there.

    :raises Problem: the file is another program's, or it says things (by anchors) that cannot be
        changed in place
    """
    wanted: dict[str, Any] = {
        "slug": program["slug"],
        "kind": program["kind"],
        "name": program["name"],
        "position": program["position"],
        "config": program["config"],
    }
    if into is None:
        needed = _units(program["config"], units)
        wanted["config"] = in_order(program["kind"], program["config"])
        return dump(styled({"units": needed, **wanted} if needed else wanted))
    file = parsed(into, path)
    if file.slug != program["slug"]:
        raise Problem(
            f"{path} is of the program {file.slug!r}", f"Export {program['slug']!r} to another file"
        )
    document, remarks = read_off(into, file.document)
    notes = {key: plain(document[key]) for key in document if str(key) not in wanted}
    if file.position is None:
        del wanted["position"]  # a file that leaves it open goes on doing so
    put(document, {**notes, **wanted}, remarks)
    if plain(document) != {**notes, **wanted}:
        raise Problem(
            f"{path} uses anchors that stand in the way", "Export it to a new file, or write it out"
        )
    return put_back(document, remarks)


def _units(config: Any, units: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The units that a config names, so that the file can be applied elsewhere."""
    named = set(_named(config))
    return [dict(unit) for unit in units if unit["code"] in named]


def _named(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        own = [value["unit"]] if isinstance(value.get("unit"), str) else []
        return own + [code for inner in value.values() for code in _named(inner)]
    if isinstance(value, list):
        return [code for inner in value for code in _named(inner)]
    return []
