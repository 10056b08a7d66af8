"""What a decision keeps of what its rules read, and the view that is rebuilt from it.

A rule reads traits, counters and the member's attributes through mappings that note what was asked.
The decision keeps the values, by program, as the rule saw them; what nobody asked for is not kept,
and of a name that stood for nothing, that it did (null). Under `read` in the decision's body:

    {"card": {"version": 2,
              "traits": {"card.cards_filled": [3, "2026-01-10T12:00:00Z", null], "vip.tier": null},
              "counters": {"paid": 40},
              "attributes": {"birthday": ["05-20"], "country": null}}}
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar, overload

from loyalty.days import iso
from loyalty.facts import FactKey
from loyalty.setup import Setup
from loyalty.view import GrantView, MemberView, TraitValue, View

T = TypeVar("T")
V = TypeVar("V")


class Noted(Mapping[str, V]):
    """Values by name; `read` are those that were asked for, None where there was nothing."""

    __slots__ = ("_values", "read")

    def __init__(self, values: Mapping[str, V]) -> None:
        self._values = values
        self.read: dict[str, V | None] = {}

    def __getitem__(self, name: str) -> V:
        try:
            value = self._values[name]
        except KeyError:
            self.read[name] = None
            raise KeyError(name) from None
        self.read[name] = value
        return value

    @overload
    def get(self, name: str, /) -> V | None: ...
    @overload
    def get(self, name: str, /, default: V | T) -> V | T: ...
    def get(self, name: str, /, default: Any = None) -> Any:
        """As the mapping's own, which raises and catches for what is not there: most is not."""
        found = self.read[name] = self._values.get(name)
        return default if found is None else found

    def __iter__(self) -> Iterator[str]:
        self.read.update({name: self._values[name] for name in self._values})
        return iter(self._values)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Attributes(Mapping[str, Any]):
    """A member's attributes; `read` are those that were asked for, each in a list, for null is a
    value too: None where there was nothing. `asked` says whether anything was."""

    __slots__ = ("_values", "asked", "read")

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self.asked = False
        self.read: dict[str, list[Any] | None] = {}

    def __getitem__(self, name: str) -> Any:
        self.asked = True
        if name not in self._values:
            self.read[name] = None
            raise KeyError(name)
        value = self._values[name]
        self.read[name] = [value]
        return value

    def __iter__(self) -> Iterator[str]:
        self.asked = True
        self.read.update({name: [value] for name, value in self._values.items()})
        return iter(self._values)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def keep(
    body: dict[str, Any], program: str, version: int, of_member: Mapping[str, TraitValue],
    counted: Mapping[str, int], member: MemberView | None,
) -> None:  # fmt: skip
    """Write what a program's rule read into the decision's body; nothing where it read nothing.

    Inside one settlement traits and counters do not change, so a program's rules share one entry.
    """
    # Asked of every fact: by its type, for an instance check of an abstract class is slow.
    traits = of_member.read if type(of_member) is Noted else {}
    counters = counted.read if type(counted) is Noted else {}
    attributes = () if member is None else member.attributes
    asked = type(attributes) is Attributes and attributes.asked
    if not (traits or counters or asked):
        return
    kept = body.setdefault("read", {}).setdefault(program, {"version": version})
    if traits:
        rows = {name: _row(trait) for name, trait in traits.items()}
        kept.setdefault("traits", {}).update(rows)
    if counters:
        kept.setdefault("counters", {}).update(counters)
    if type(attributes) is Attributes and attributes.asked:
        kept.setdefault("attributes", {}).update(attributes.read)


def _row(trait: TraitValue | None) -> list[Any] | None:
    return None if trait is None else [trait.value, iso(trait.since), iso(trait.until)]


class NotKept(LookupError):
    """A rule asks for what no rule of its program read when the fact was recorded.

    No KeyError: to take it for nothing would explain something that never happened.
    """


class _Kept(Mapping[str, V]):
    def __init__(self, values: Mapping[str, V | None]) -> None:
        self._values = values

    def __getitem__(self, name: str) -> V:
        if name not in self._values:
            raise NotKept(f"the decision does not keep {name!r}")
        if (value := self._values[name]) is None:
            raise KeyError(name)
        return value

    def __iter__(self) -> Iterator[str]:
        return (name for name, value in self._values.items() if value is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class _KeptAttributes(Mapping[str, Any]):
    def __init__(self, rows: Mapping[str, Sequence[Any] | None]) -> None:
        self._rows = rows

    def __getitem__(self, name: str) -> Any:
        if name not in self._rows:
            raise NotKept(f"the decision does not keep the attribute {name!r}")
        if (row := self._rows[name]) is None:
            raise KeyError(name)
        return row[0]

    def __iter__(self) -> Iterator[str]:
        return (name for name, row in self._rows.items() if row is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def view_of(
    body: Mapping[str, Any],
    program: str,
    setup: Setup,
    *,
    key: FactKey | None = None,
    member: MemberView | None = None,
    grants: Sequence[GrantView] = (),
) -> View:
    """The view that a program's rules had, rebuilt from the decision's body.

    It holds the traits, counters and attributes that they read and the luck that they drew. `key`,
    `member` and `grants` (what the fact had been granted before this rule's turn) are the caller's
    to give; where the decision keeps no attribute the member has those they have now. Balances,
    lots and what loaders loaded are not kept.

    Asked for anything that is not kept, it raises `NotKept`.
    """
    kept = body.get("read", {}).get(program, {})
    traits = {name: _trait(row) for name, row in kept.get("traits", {}).items()}
    if member is not None and "attributes" in kept:
        member = member._replace(attributes=_KeptAttributes(kept["attributes"]))
    return View(
        program=program,
        setup=setup,
        key=key,
        member=member,
        grants=grants,
        balances=_Kept({}),
        lots=_Kept({}),
        traits=_Kept(traits),
        counters=_Kept(kept.get("counters", {})),
        needs=_Kept({}),
        chance=_drawn(body, program),
    )


def _trait(row: Sequence[Any] | None) -> TraitValue | None:
    if row is None:
        return None
    value, since, until = row
    return TraitValue(
        value=value,
        since=datetime.fromisoformat(since),
        until=None if until is None else datetime.fromisoformat(until),
    )


def _drawn(body: Mapping[str, Any], program: str) -> Callable[[str], float | None]:
    rolls = {
        row["label"]: row["roll"] for row in body.get("draws", ()) if row["program"] == program
    }
    return _Kept(rolls).__getitem__
