"""What differs between two configs, key by key; rules and other named things by their name. Pure.

A path is written as in error messages (`config.terms.pending_days`), with the name of a listed
thing in brackets (`config.rules[spend].points`), so that a rule which moved is not every rule after
it that changed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

NAMES = ("id", "slug", "name", "category", "counter")  # keys that may name a thing in a list


class ChangeKind(StrEnum):
    ADDED = "ADDED"
    REMOVED = "REMOVED"
    CHANGED = "CHANGED"
    REORDERED = "REORDERED"  # `before` and `after` are the names in their order


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One key that differs. `before` is None where it was added, `after` where it was removed."""

    path: str
    kind: ChangeKind
    before: Any = None
    after: Any = None


def changes(before: Any, after: Any, path: str = "config") -> list[Change]:
    """What must be changed of `before` to make it `after`, in the order of `after`."""
    return list(_changes(before, after, path))


def _changes(before: Any, after: Any, path: str) -> Iterator[Change]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _of_mappings(before, after, lambda key: f"{path}.{key}")
    elif _listed(before) and _listed(after):
        yield from _of_lists(before, after, path)
    elif not same(before, after):
        yield Change(path=path, kind=ChangeKind.CHANGED, before=before, after=after)


def same(before: Any, after: Any) -> bool:
    """Equal, and `true` is not 1."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return before.keys() == after.keys() and all(same(before[k], after[k]) for k in before)
    if _listed(before) and _listed(after):
        return len(before) == len(after) and all(map(same, before, after))
    return bool(before == after) and isinstance(before, bool) is isinstance(after, bool)


def named(things: Any) -> dict[str, Any] | None:
    """The things of a list by their names; None where one has none, or two have the same."""
    if not _listed(things) or not all(isinstance(one, Mapping) for one in things):
        return None
    for key in NAMES:
        if all(isinstance(one.get(key), str) for one in things):
            found = {one[key]: one for one in things}
            return found if len(found) == len(things) else None
    return None


def _of_mappings(
    before: Mapping[str, Any], after: Mapping[str, Any], path_of: Any
) -> Iterator[Change]:
    for key, value in after.items():
        if key not in before:
            yield Change(path=path_of(key), kind=ChangeKind.ADDED, after=value)
        else:
            yield from _changes(before[key], value, path_of(key))
    for key, value in before.items():
        if key not in after:
            yield Change(path=path_of(key), kind=ChangeKind.REMOVED, before=value)


def _of_lists(before: Sequence[Any], after: Sequence[Any], path: str) -> Iterator[Change]:
    old, new = named(before), named(after)
    if old is None or new is None:
        if not same(before, after):
            yield Change(path=path, kind=ChangeKind.CHANGED, before=before, after=after)
        return
    yield from _of_mappings(old, new, lambda name: f"{path}[{name}]")
    kept = [name for name in old if name in new], [name for name in new if name in old]
    if kept[0] != kept[1]:
        yield Change(path=path, kind=ChangeKind.REORDERED, before=list(old), after=list(new))


def _listed(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)
