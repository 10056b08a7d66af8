"""Why somebody got what they got."""

from collections.abc import Mapping
from typing import Any

import strawberry

from loyalty.setup import Setup
from loyalty.units import format_minor
from loyalty_graphql.access import reached
from loyalty_graphql.scalars import Decimal, Json


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
