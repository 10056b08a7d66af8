"""Explanations: for each rule of the programs in force why it gave what it gave, or nothing.

Decisions keep what fired. What did not is recomputed when somebody asks: each plugin judges a fact
once more, on the view that is rebuilt from the decision (`kept`), and says of each rule what kept
it from firing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from loyalty.explained import Explained
from loyalty.facts import Fact, FactKey
from loyalty.kept import view_of
from loyalty.plugin_set import PluginSet
from loyalty.settlement.measuring import granted_view
from loyalty.setup import Program, ProgramVersion, Setup
from loyalty.view import MemberView, no_chance


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the rules of one program say of a fact, and the version of its config that judged."""

    program: Program
    version: ProgramVersion
    rules: Sequence[Explained]


def judgements(
    plugins: PluginSet,
    setup: Setup,
    fact: Fact,
    body: Mapping[str, Any],
    *,
    key: FactKey | None = None,
    member: MemberView | None = None,
    preview: bool = False,
) -> Iterator[Judgement]:
    """What every program in force at the fact's instant says of it, in the order of programs.

    `body` is the decision's; `member` is as they are now: what is kept of them are the traits,
    counters and attributes that were read. In a `preview` no luck is drawn. A plugin that explains
    nothing is left out.
    """
    grants = [granted_view(row) for row in body.get("grants", ()) if not row.get("of")]
    for program in sorted(setup.programs, key=lambda one: (one.position, one.slug)):
        plugin, version = plugins.by_name.get(program.kind), _judged(program, fact, body)
        if plugin is None or plugin.explain is None or version is None:
            continue
        view = view_of(body, program.slug, setup, key=key, member=member, grants=grants)
        if preview:
            view = view._replace(chance=no_chance)
        rules = tuple(plugin.explain(version.config, fact, view))
        yield Judgement(program, version, rules)


def _judged(program: Program, fact: Fact, body: Mapping[str, Any]) -> ProgramVersion | None:
    """The version that judged: as the decision says, or else the one in force at the instant."""
    read = body.get("read", {}).get(program.slug)
    number = read["version"] if read else None
    for row in body.get("grants", ()):
        if row["program"] == program.slug:
            number = row["version"]
    if number is None:
        return program.at(fact.occurred_at)
    return next((one for one in program.versions if one.number == number), None)
