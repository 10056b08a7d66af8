"""What is kept about people, declared where it is kept: fields of facts, and rows of tables.

    reason: str = field(default="", metadata=PERSONAL)      # goes when the member is erased

A table that a member appears in has a `PersonalRows`: which rows are about the member, what of them
an erasure takes away, and why the rest may stay. `privacy/` exports and erases by that alone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from types import MappingProxyType
from typing import Any, get_args

PERSONAL: Mapping[str, Any] = MappingProxyType({"personal": True})
"""Metadata of a fact's field that may say something about a person, such as free text."""

_ITEM = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalRows:
    """The rows of one table of the schema `loyalty` that are about a member.

    `rows` is the condition that finds them; `$1` is the member's id. An erasure sets the columns of
    `erased` to these SQL expressions, or takes the rows away (`deleted`). Ids, amounts and instants
    stay in any case; of every other column that stays `kept` says why it may. `{secret}` in an
    expression is a text that only this erasure knows: `loyalty.pseudonym(column, {secret})` calls
    equal things by one new name. `hidden` columns (secrets, hashes) are in no export, and
    those of `shown` by these SQL expressions of the row `x`: what of it is another member's is not
    the member's to read. (Ids of other members are made-up names there in any case.)
    `by_kernel`: the login that erases may not write this table, a procedure of the ledger does it.
    `read_by`: nor read it, but for a member's rows by this function (`loyalty.told_of($1)`).
    """

    table: str
    rows: str = "member_id = $1"
    erased: Mapping[str, str] = field(default_factory=dict)
    deleted: bool = False
    kept: Mapping[str, str] = field(default_factory=dict)
    hidden: tuple[str, ...] = ()
    shown: Mapping[str, str] = field(default_factory=dict)
    by_kernel: bool = False
    read_by: str = ""

    @property
    def condition(self) -> str:
        """`rows` for a statement whose `$1` is the member; names are still to be put in."""
        return f"({self.rows.replace('$1', '$1::uuid')})"


def personal_paths(fact: type[Any]) -> tuple[str, ...]:
    """Where a fact's payload says something about a person, such as `lines.*.attributes`."""
    return tuple(_paths(fact))


def _paths(kind: type[Any], before: str = "") -> Iterator[str]:
    for one in fields(kind):
        if one.metadata.get("personal"):
            yield before + one.name
            continue
        for inner in (one.type, *get_args(one.type)):
            if is_dataclass(inner) and isinstance(inner, type) and one.name != "member":
                item = f"{_ITEM}." if inner is not one.type and _many(one.type) else ""
                yield from _paths(inner, f"{before}{one.name}.{item}")


def _many(kind: Any) -> bool:
    return getattr(kind, "__origin__", None) is tuple


def under(path: str, pattern: str) -> bool:
    """Whether a dotted path is one that a pattern names, or lies beneath one."""
    parts, wanted = path.split("."), pattern.split(".")
    return len(parts) >= len(wanted) and all(
        name in (_ITEM, part) for part, name in zip(parts, wanted, strict=False)
    )
