"""One step of a ladder: what it takes to reach and to keep it, and what it brings."""

from functools import cached_property
from typing import Annotated

from pydantic import AfterValidator, Field

from loyalty_earning.earning_rule import EarningRule
from loyalty_earning.notation import PositiveText
from loyalty_earning.section import MIN_ONE, Identifier, Name, Section, has_some, named_once

PATHS_MAX = 20
NEEDS_MAX = 20
PERKS_MAX = 100
BONUSES_MAX = 50


class Path(Section):
    """One way to a tier: all of its minimums together."""

    needs: Annotated[dict[Identifier, PositiveText], Field(min_length=1, max_length=NEEDS_MAX)]
    """The least of each metric, such as `{"miles": "20000", "alaska": "2"}`."""


Paths = Annotated[tuple[Path, ...], Field(max_length=PATHS_MAX)]


class Perk(Section):
    """Something that comes with a tier, for shop and app to show and to grant."""

    id: Identifier
    """Unique in the tier; the shop asks for it."""
    label: Name
    """What members read."""
    description: Annotated[str, Field(max_length=1_000)] = ""
    """More about it."""


class Tier(Section):
    """A step of the ladder."""

    id: Identifier
    """Unique in the program and kept for ever: conditions read `member.tier == "gold"`."""
    label: Name
    """What members read."""
    qualify: Paths = ()
    """Ways to reach it, any of which will do. Only the first tier may have none: then it is
    everybody's from the start."""
    keep: Annotated[
        tuple[Path, ...], Field(max_length=PATHS_MAX, json_schema_extra=MIN_ONE),
        AfterValidator(has_some),
    ] | None = None  # fmt: skip
    """Ways to keep it when its validity ends; null: the same as to reach it."""
    lifetime: Paths = ()
    """Ways to have it for ever."""
    by_invitation: Annotated[bool, Field(strict=True)] = False
    """Nobody reaches it by sums alone: staff give it (`setTier`). Who has it keeps it by `keep`."""
    perks: Annotated[
        tuple[Perk, ...], Field(max_length=PERKS_MAX),
        AfterValidator(lambda perks: named_once(perks, "id")),
    ] = ()  # fmt: skip
    """What comes with it, beside what it earns. A higher tier lists all of its own."""
    bonuses: Annotated[tuple[EarningRule, ...], Field(max_length=BONUSES_MAX)] = ()
    """What it earns on top of what any program grants: rules that have `bonus` and `unit`. A
    higher tier lists all of its own."""

    @cached_property
    def kept_by(self) -> Paths:
        return self.qualify if self.keep is None else self.keep

    @cached_property
    def all_paths(self) -> Paths:
        return (*self.qualify, *(self.keep or ()), *self.lifetime)
