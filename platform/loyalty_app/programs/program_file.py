"""A program as a file: slug, kind, name, position and config; units it needs, notes for readers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loyalty_app.problem import Problem
from loyalty_app.programs.yaml_text import NotYaml, load, plain
from loyalty_tenants.config_errors import unknown_key

NEEDED = ("slug", "kind", "name", "config")
KEYS = ("title", "description", "units", "slug", "kind", "name", "position", "config")
UNIT_KEYS = ("code", "name", "places", "kind")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramFile:
    """What a file says. `document` keeps its comments and knows its lines."""

    path: str
    slug: str
    kind: str
    name: str
    position: int | None
    config: Mapping[str, Any]
    units: Sequence[Mapping[str, Any]] = ()
    document: Any = field(repr=False, default=None)

    def place(self, dotted: str | None) -> str:
        """The file and the line at which a path such as `config.rules.0.points` stands."""
        here, line = self.document, 0
        for step in (dotted or "").split("."):
            key: Any = int(step) if step.isdigit() and isinstance(here, list) else step
            if not isinstance(here, Mapping | list) or not _has(here, key):
                break
            line = _line(here, key)
            here = here[key]
        return f"{self.path}:{line + 1}"


def read(path: Path) -> ProgramFile:
    """:raises Problem: there is no such file, or it is no program file; it says the line"""
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise Problem(f"{path}: {error.strerror}", "Name a program file") from None
    except UnicodeDecodeError:
        raise Problem(f"{path}: is no UTF-8 text", "Save it as UTF-8") from None
    return parsed(text, str(path))


def parsed(text: str, path: str) -> ProgramFile:
    """The program that a text describes; `path` is how problems name it.

    :raises Problem: as `read`
    """
    try:
        document = load(text)
        found = plain(document)
    except NotYaml as error:
        raise Problem(f"{path}: {error}", "Correct it and try again") from None
    if not isinstance(found, Mapping):
        raise _wrong(path, 0, "must be a mapping with the keys " + ", ".join(NEEDED))
    for key in found:
        if key not in KEYS:
            raise _wrong(path, _line(document, key), unknown_key(key, KEYS))
    for key in NEEDED:
        if key not in found:
            raise _wrong(path, 0, f"{key}: is needed")
    made = ProgramFile(
        path=path, slug=found["slug"], kind=found["kind"], name=found["name"],
        position=found.get("position"), config=found["config"], units=found.get("units") or (),
        document=document,
    )  # fmt: skip
    _check(made, found)
    return made


def _check(file: ProgramFile, found: Mapping[str, Any]) -> None:
    for key in ("slug", "kind", "name", "title", "description"):
        if key in found and not isinstance(found[key], str):
            raise Problem(f"{file.place(key)}: {key}: must be text", "Put it in quotes")
    if not isinstance(file.position, int | None) or isinstance(file.position, bool):
        raise Problem(f"{file.place('position')}: position: must be a whole number", "Correct it")
    if not isinstance(file.config, Mapping):
        raise Problem(f"{file.place('config')}: config: must be a mapping of keys", "Correct it")
    if not isinstance(file.units, list | tuple):
        raise Problem(f"{file.place('units')}: units: must be a list", "Correct it")
    for index, unit in enumerate(file.units):
        _check_unit(file, f"units.{index}", unit)


def _check_unit(file: ProgramFile, path: str, unit: Any) -> None:
    if not isinstance(unit, Mapping) or not isinstance(unit.get("code"), str):
        raise Problem(f"{file.place(path)}: {path}: must be a mapping with a code", "Correct it")
    for key in unit:
        if key not in UNIT_KEYS:
            what = unknown_key(key, UNIT_KEYS)
            raise Problem(f"{file.place(f'{path}.{key}')}: {path}.{key}: {what}", "Correct it")


def _wrong(path: str, line: int, what: str) -> Problem:
    return Problem(f"{path}:{line + 1}: {what}", "Correct it and try again")


def _has(here: Any, key: Any) -> bool:
    if isinstance(here, list):
        return isinstance(key, int) and key < len(here)
    return key in here


def _line(here: Any, key: Any) -> int:
    place = getattr(here, "lc", None)
    if place is None:
        return 0
    try:
        found = place.item(key) if isinstance(here, list) else place.key(key)
    except (KeyError, TypeError):
        return int(place.line or 0)
    return int(found[0])
