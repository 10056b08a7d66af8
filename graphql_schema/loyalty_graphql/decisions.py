"""Why somebody got what they got."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import strawberry

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
    """One rule that fired."""

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
    """The values that the rule read."""


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


def shown_decisions(body: Mapping[str, Any] | None, setup: Setup) -> list[Decision]:
    return [_decision(row, setup) for row in (body or {}).get("grants", ())]


def _decision(row: Mapping[str, Any], setup: Setup) -> Decision:
    places = setup.places(row["unit"]) or 0
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
        cut_by=row.get("cutBy"),
        lines=[
            LineShare(line=line, amount=Decimal(format_minor(share, places)))
            for line, share in row["lines"].items()
        ],
        inputs=Json(row["inputs"]),
    )
