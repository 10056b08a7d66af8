"""Conditions compare what programs say of members with words: a typo is told when it is saved.

`member.tier == "glod"` never holds where no program of the tenant has such a tier.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from difflib import get_close_matches
from typing import Any
from uuid import UUID

from loyalty.conditions import compared
from loyalty.errors import Code, Refused
from loyalty.plugin import Connection, Plugin
from loyalty_tenants.configs import Checked, Configs

_PROGRAMS = """
select p.kind, p.draft as config from loyalty.program p where p.archived_at is null
union all
select p.kind, v.config from loyalty.program p
  join loyalty.program_version v on (v.tenant_id, v.program_id) = (p.tenant_id, p.id)
 where p.archived_at is null
"""

# The newest version of each other program: what is in force, or will be.
_OTHERS = """
select distinct on (p.id) p.slug, p.kind, v.config from loyalty.program p
  join loyalty.program_version v on (v.tenant_id, v.program_id) = (p.tenant_id, p.id)
 where p.archived_at is null and p.id <> $1
 order by p.id, v.number desc
"""
Running = Sequence[tuple[str, Any]]
"""Kinds of programs, each with its config."""


async def check_values(
    connection: Connection, configs: Configs, kind: str, checked: Checked
) -> None:
    """Of a trait that any program may have (`*.tier`) all its values are known, or nobody's are.

    :raises Refused: BAD_CONFIG with the path of the first condition that names what it never is
    """
    if not any(_named(checked)):
        return
    running = [(kind, checked.parsed)]
    running += [
        (row["kind"], configs.parse(row["kind"], row["config"]))
        for row in await connection.fetch(_PROGRAMS)
        if row["kind"] in configs.kinds()
    ]
    for path, name, text, known in _unknown(checked, running, configs):
        near = get_close_matches(text, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
        raise Refused(Code.BAD_CONFIG, f"no program gives the {name} {text!r}: {hint}", field=path)


async def check_others(
    connection: Connection, configs: Configs, program_id: UUID, kind: str, checked: Checked
) -> None:
    """What other programs compare with is still said by some program, once this version is
    published.

    :raises Refused: BAD_CONFIG, naming the program and the key that would never hold any more
    """
    if not any(declared.values for declared in configs.plugin(kind).traits):
        return
    others: list[tuple[Mapping[str, Any], Checked]] = []
    for row in await connection.fetch(_OTHERS, program_id):
        with suppress(Refused):  # a plugin that is not installed, or rules that are stricter now
            others.append((row, configs.check(row["kind"], row["config"])))
    running = [(kind, checked.parsed), *((row["kind"], other.parsed) for row, other in others)]
    for row, other in others:
        for path, name, text, known in _unknown(other, running, configs):
            raise Refused(
                Code.BAD_CONFIG,
                f"the program {row['slug']} asks for the {name} {text!r}, which no program gives"
                f" then (there are {', '.join(known)}): publish that one without it first",
                field="config", details={"program": row["slug"], "path": path},
            )  # fmt: skip


def _named(checked: Checked) -> Iterator[tuple[str, str, str, str]]:
    """By condition: its source, the name it compares, the trait behind it, the word."""
    for condition in checked.conditions:
        for name, text in compared(condition):
            if text and (trait := _of_any_program(name.traits)) is not None:
                yield condition.source, name.name, trait, text


def _unknown(
    checked: Checked, running: Running, configs: Configs
) -> Iterator[tuple[str, str, str, list[str]]]:
    """Words that no program says: where they stand, the name, the word, and what there is."""
    for source, name, trait, text in _named(checked):
        known = _values(trait, running, configs.kinds())
        if known and text not in known:
            yield _path(checked.plain, source), name, text, known


def _of_any_program(traits: tuple[str, ...] | None) -> str | None:
    if traits is None or len(traits) != 1 or not traits[0].startswith("*."):
        return None
    return traits[0].removeprefix("*.")


def _values(
    trait: str, running: Iterable[tuple[str, Any]], plugins: Mapping[str, Plugin]
) -> list[str]:
    """All that it can be; nothing where some program may say anything, or none says any."""
    found: set[str] = set()
    for kind, config in running:
        for declared in plugins[kind].traits:
            if declared.name == trait:
                if declared.values is None:
                    return []
                found.update(map(str, declared.values(config)))
    return sorted(found)


def _path(plain: Any, source: str) -> str:
    return next(_paths(plain, source, "config"), "config")


def _paths(value: Any, source: str, path: str) -> Iterator[str]:
    if value == source:
        yield path
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _paths(inner, source, f"{path}.{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _paths(inner, source, f"{path}.{index}")
