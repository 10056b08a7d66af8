"""Why somebody got what they got."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import strawberry

from loyalty.explained import Explained
from loyalty.explaining import Judgement
from loyalty.settlement.measuring import is_counted_alone
from loyalty.setup import Setup
from loyalty.units import format_minor
from loyalty_graphql.access import reached
from loyalty_graphql.scalars import Decimal, Json, parse_instant


@strawberry.type
@reached
class LineShare:
    """What of a grant belongs to one line; a return of the line takes this part back."""

    line: str
    """Id of the line; empty for a fact that has none."""
    amount: Decimal
    """Its share."""


@strawberry.type
@reached
class Decision:
    """What one rule said."""

    program: str
    """Slug of the program."""
    program_version: int
    """Number of the config version that judged."""
    rule: str
    """Id of the rule in its program."""
    label: str
    """What members read."""
    stage: str
    """BASE, BONUS, CAP or AFTER."""
    accounting_class: str
    """What the rule is to the books."""
    unit: str
    """Code of the unit."""
    wanted: Decimal
    """What the rule would have given."""
    granted: Decimal
    """What it gave."""
    cut_by: str | None
    """What made the difference; null where there is none."""
    lines: list[LineShare]
    """The grant by line."""
    inputs: Json
    """The values that the rule counted by."""
    fired: bool
    """Whether the rule wanted to give something."""
    reason: str | None
    """A code for what kept the rule from firing, or for what cut it; null for one that gave all
    that it wanted."""
    explanation: str | None
    """The same in plain words, where the program has any."""
    part: str | None
    """The first part of the rule's condition that was false, or the key of its config that kept it
    from firing."""
    values: Json | None
    """What was read to find that out."""


@strawberry.type
@reached
class TraitRead:
    """What rules read of what a program says of the member, as it was before the fact."""

    name: str
    """As `<program>.<trait>`."""
    value: Json | None
    """Its value; null where the member had none."""
    since: datetime | None
    """From when it held."""
    until: datetime | None
    """Until when it holds; null: until it is changed."""


@strawberry.type
@reached
class CounterRead:
    """What rules read of what their program counts, as it was before the fact."""

    name: str
    """Its name in the program."""
    value: str | None
    """A whole number, summed over the counter's window; null where nothing is counted so."""


@strawberry.type
@reached
class DecisionInputs:
    """What the rules of one program were judged by, those that fired and those that did not."""

    program: str
    """Slug of the program."""
    program_version: int
    """Number of the config version that judged."""
    traits: list[TraitRead]
    """Traits that they read, by name."""
    counters: list[CounterRead]
    """Counters that they read, by name."""


def shown_inputs(body: Mapping[str, Any] | None) -> list[DecisionInputs]:
    read: Mapping[str, Any] = (body or {}).get("read", {})
    return [
        DecisionInputs(
            program=program,
            program_version=kept["version"],
            traits=[_trait(name, row) for name, row in sorted(kept.get("traits", {}).items())],
            counters=[
                CounterRead(name=name, value=None if value is None else str(value))
                for name, value in sorted(kept.get("counters", {}).items())
            ],
        )
        for program, kept in sorted(read.items())
    ]


def _trait(name: str, row: Sequence[Any] | None) -> TraitRead:
    value, since, until = row or (None, None, None)
    return TraitRead(
        name=name,
        value=None if value is None else Json(value),
        since=None if since is None else parse_instant(since),
        until=None if until is None else parse_instant(until),
    )


def shown_decisions(
    body: Mapping[str, Any] | None, setup: Setup, told: Sequence[Judgement] = ()
) -> list[Decision]:
    """What fired, in the order in which it did, then what did not, by program, as configured.

    What a return's decision keeps for counters alone is no rule that did not fire.
    """
    rows = [row for row in (body or {}).get("grants", ()) if not is_counted_alone(row)]
    said = {(one.program.slug, rule.rule): rule for one in told for rule in one.rules}
    there = {(row["program"], row["rule"]) for row in rows}
    fired = [_decision(row, setup, said.get((row["program"], row["rule"]))) for row in rows]
    return fired + [
        _nothing(one, rule, setup)
        for one in told
        for rule in one.rules
        if (one.program.slug, rule.rule) not in there
    ]


def _decision(row: Mapping[str, Any], setup: Setup, told: Explained | None) -> Decision:
    places, cut_by = setup.places(row["unit"]) or 0, row.get("cutBy")
    return Decision(
        program=row["program"],
        program_version=row["version"],
        rule=row["rule"],
        label=row["label"],
        stage=row["stage"],
        accounting_class=row["class"],
        unit=row["unit"],
        wanted=Decimal(format_minor(row["wanted"], places)),
        granted=Decimal(format_minor(row["granted"], places)),
        cut_by=cut_by,
        lines=[
            LineShare(line=line, amount=Decimal(format_minor(share, places)))
            for line, share in row["lines"].items()
        ],
        inputs=Json(row["inputs"]),
        fired=row["wanted"] > 0,
        reason=cut_by or (told.reason if told else None),
        # One that gives also another unit is told of once; not every unit was cut.
        explanation=told.message if told and (cut_by or not row["wanted"]) else None,
        part=told.part if told else None,
        values=Json(dict(told.values)) if told and told.values else None,
    )


def _nothing(one: Judgement, told: Explained, setup: Setup) -> Decision:
    """A rule that the decision says nothing of."""
    nothing = Decimal(format_minor(0, setup.places(told.unit) or 0))
    return Decision(
        program=one.program.slug,
        program_version=one.version.number,
        rule=told.rule,
        label=told.label,
        stage=told.stage.name,
        accounting_class=told.accounting_class,
        unit=told.unit,
        wanted=nothing,
        granted=nothing,
        cut_by=None,
        lines=[],
        inputs=Json({}),
        fired=False,
        reason=told.reason,
        explanation=told.message,
        part=told.part,
        values=Json(dict(told.values)) if told.values else None,
    )
