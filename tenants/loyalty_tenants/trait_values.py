"""Conditions compare what programs say of members with words: a typo is told when it is saved.

`member.tier == "glod"` never holds where no program of the tenant has such a tier.
"""

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

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


async def check_values(
    connection: Connection, configs: Configs, kind: str, checked: Checked
) -> None:
    """Of a trait that any program may have (`*.tier`) all its values are known, or nobody's are.

    :raises Refused: BAD_CONFIG with the path of the first condition that names what it never is
    """
    named = [
        (condition.source, name.name, trait, text)
        for condition in checked.conditions
        for name, text in compared(condition)
        if text and (trait := _of_any_program(name.traits)) is not None
    ]
    if not named:
        return
    running = [(kind, checked.parsed)]
    running += [
        (row["kind"], configs.parse(row["kind"], row["config"]))
        for row in await connection.fetch(_PROGRAMS)
        if row["kind"] in configs.kinds()
    ]
    for source, name, trait, text in named:
        known = _values(trait, running, configs.kinds())
        if known and text not in known:
            near = get_close_matches(text, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
            raise Refused(
                Code.BAD_CONFIG, f"no program gives the {name} {text!r}: {hint}",
                field=_path(checked.plain, source),
            )  # fmt: skip


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
