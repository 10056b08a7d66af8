"""What a tenant sets for a ladder of tiers. Its JSON Schema is published, so every key says what
it is for. A config that was accepted never fails a rule later."""

import json
from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    Field,
    ModelWrapValidatorHandler,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from loyalty.days import Span
from loyalty_earning.choices import hint
from loyalty_earning.conditions import counted_in
from loyalty_earning.config import EarningConfig
from loyalty_earning.faults import faulty
from loyalty_earning.notation import Currency, SpanText
from loyalty_earning.section import MIN_ONE, Section, has_some, named_once
from loyalty_tiers.bonus_rules import earning, misfits
from loyalty_tiers.challenges import Challenge
from loyalty_tiers.metric import Metric
from loyalty_tiers.periods import Kind, Lasts, Period, Validity
from loyalty_tiers.tier import Path, Tier

METRICS_MAX = 20
TIERS_MAX = 20
CHALLENGES_MAX = 50
NOT_THE_STANDING = frozenset({"perks", "label", "bonuses"})


class Upgrade(StrEnum):
    """When a tier that was reached begins."""

    AT_ONCE = "at_once"
    NEXT_PERIOD = "next_period"


class Downgrade(StrEnum):
    """What follows when a tier ends that was not kept."""

    DERIVE = "derive"  # whatever tier the sums give
    ONE_STEP = "one_step"  # the tier just below, or a better one that the sums give


class OnReturn(StrEnum):
    """What a return does that takes away what a tier was reached by."""

    KEEP = "keep"
    REVOKE = "revoke"


class TiersConfig(Section):
    """A ladder: tiers that members reach by sums, keep for a time and may lose."""

    currency: Currency | None = None
    """The currency that `amount("25.00")` means in conditions; only needed where one says it."""
    metrics: Annotated[
        tuple[Metric, ...],
        Field(max_length=METRICS_MAX, json_schema_extra=MIN_ONE),
        AfterValidator(has_some), AfterValidator(lambda entries: named_once(entries, "id")),
    ]  # fmt: skip
    """Sums that tiers are reached by."""
    period: Period = Period()
    """The period that sums are over where a metric does not say its own."""
    tiers: Annotated[
        tuple[Tier, ...],
        Field(max_length=TIERS_MAX, json_schema_extra=MIN_ONE),
        AfterValidator(has_some), AfterValidator(lambda entries: named_once(entries, "id")),
    ]  # fmt: skip
    """The steps, the lowest first."""
    validity: Validity = Validity()
    """How long a tier lasts that was reached."""
    challenges: Annotated[
        tuple[Challenge, ...], Field(max_length=CHALLENGES_MAX),
        AfterValidator(lambda entries: named_once(entries, "id")),
    ] = ()  # fmt: skip
    """Challenges that members may take, and status matches that have to be earned."""
    upgrade: Upgrade = Upgrade.AT_ONCE
    """A tier that was reached begins at_once, or with the next_period."""
    downgrade: Downgrade = Downgrade.DERIVE
    """When a tier ends that was not kept: derive (the tier that the sums give) or one_step (the
    one just below, or a better one that the sums give)."""
    grace: SpanText | None = None
    """How long a tier that was not kept stays all the same, such as P1M: who meets it then keeps
    it. Null: no longer."""
    soft_landing: Annotated[int, Field(strict=True, ge=1, le=TIERS_MAX)] | None = None
    """Nobody falls more than so many steps at once: who would has the tier so far below for one
    more validity, and what the sums give after it. Null: nothing softens a fall."""
    on_return: OnReturn = OnReturn.KEEP
    """A return takes away what a tier was reached by: keep it to its end, or revoke it."""

    @model_validator(mode="wrap")
    @classmethod
    def _read_in_its_currency(cls, given: Any, read: ModelWrapValidatorHandler[Self]) -> Self:
        currency = given.get("currency") if isinstance(given, dict) else None
        with counted_in(currency if isinstance(currency, str) else None):
            return read(given)

    @field_validator("tiers")
    @classmethod
    def _bonuses_fit(cls, tiers: tuple[Tier, ...]) -> tuple[Tier, ...]:
        if faults := misfits(tiers):
            raise faulty(faults)
        return tiers

    @field_validator("tiers")
    @classmethod
    def _paths_fit(cls, tiers: tuple[Tier, ...], info: ValidationInfo) -> tuple[Tier, ...]:
        known = [metric.id for metric in info.data.get("metrics", ())]
        for index, tier in enumerate(tiers):
            if index and not (tier.qualify or tier.lifetime or tier.by_invitation):
                raise _fault(
                    f"tier {index} ({tier.id}) needs qualify: only the first may have none"
                )
            for path in tier.all_paths if known else ():
                _names_metrics(f"tier {index} ({tier.id})", path, known)
        return tiers

    @field_validator("challenges")
    @classmethod
    def _challenges_fit(
        cls, challenges: tuple[Challenge, ...], info: ValidationInfo
    ) -> tuple[Challenge, ...]:
        tiers = [tier.id for tier in info.data.get("tiers", ())]
        while_met = _lasts_while_met(info)
        known = [metric.id for metric in info.data.get("metrics", ())]
        for index, one in enumerate(challenges):
            if tiers and one.tier not in tiers:
                raise _fault(
                    f"challenge {index} leads to {one.tier}, which tiers does not list"
                    f"{hint(one.tier, tiers)}"
                )
            if while_met and one.validity is None:
                raise _fault(f"challenge {index} needs validity: its sums do not go on")
            for path in one.qualify if known else ():
                _names_metrics(f"challenge {index} ({one.id})", path, known)
        return challenges

    @field_validator("validity")
    @classmethod
    def _periods_have_ends(cls, validity: Validity, info: ValidationInfo) -> Validity:
        period = info.data.get("period")
        if period and validity.lasts is Lasts.PERIODS and not period.in_blocks:
            raise _fault("`lasts: periods` goes with a calendar or membership period: give a span")
        return validity

    @field_validator("upgrade")
    @classmethod
    def _a_next_period_comes(cls, upgrade: Upgrade, info: ValidationInfo) -> Upgrade:
        period = info.data.get("period")
        if period and upgrade is Upgrade.NEXT_PERIOD and not period.in_blocks:
            raise _fault("next_period goes with a calendar or membership period")
        return upgrade

    @field_validator("downgrade", "soft_landing")
    @classmethod
    def _has_a_validity(cls, given: Any, info: ValidationInfo) -> Any:
        if _lasts_while_met(info) and given not in (None, Downgrade.DERIVE):
            raise _fault("where a tier lasts while_met nothing but sums gives one: leave it out")
        return given

    @field_validator("on_return")
    @classmethod
    def _while_met_is_while_met(cls, on_return: OnReturn, info: ValidationInfo) -> OnReturn:
        if _lasts_while_met(info) and on_return is OnReturn.KEEP:
            raise _fault("`lasts: while_met` looks at what is left after returns: revoke")
        return on_return

    @cached_property
    def by_id(self) -> dict[str, Tier]:
        return {tier.id: tier for tier in self.tiers}

    @cached_property
    def challenges_by_id(self) -> dict[str, Challenge]:
        return {challenge.id: challenge for challenge in self.challenges}

    @cached_property
    def metrics_by_id(self) -> dict[str, Metric]:
        return {metric.id: metric for metric in self.metrics}

    @cached_property
    def first(self) -> Tier | None:
        """The tier that is everybody's from the start, where there is one."""
        tier = self.tiers[0]
        free = not (tier.qualify or tier.lifetime or tier.by_invitation)
        return tier if free else None

    @cached_property
    def bonuses(self) -> EarningConfig | None:
        """All bonuses of all tiers; None where there are none."""
        return earning([rule for tier in self.tiers for rule in tier.bonuses])

    @cached_property
    def bonuses_of(self) -> dict[str, EarningConfig]:
        """By tier its bonuses, where it has any."""
        found = {tier.id: earning(tier.bonuses) for tier in self.tiers}
        return {tier: config for tier, config in found.items() if config is not None}

    @cached_property
    def grace_span(self) -> Span | None:
        return None if self.grace is None else Span.parse(self.grace)

    def rank(self, tier: str | None) -> int:
        """The place of a tier, from 0; -1 of none, or of one that this config does not know."""
        return self._ranks.get(tier or "", -1)

    @cached_property
    def _ranks(self) -> dict[str, int]:
        return {tier.id: rank for rank, tier in enumerate(self.tiers)}

    def at_least(self, tier: str | None) -> list[str]:
        """A tier and all below it."""
        return [one.id for one in self.tiers[: self.rank(tier) + 1]]

    def period_of(self, metric: Metric) -> Period:
        return metric.over or self.period

    @cached_property
    def kept_days(self) -> int:
        """How many days back sums may be asked for: two periods, or a validity, with its grace."""
        period = max(self.period_of(metric).days_at_most for metric in self.metrics)
        lasts, grace = self.validity.parsed, self.grace_span or Span()
        spans = [lasts, grace, *(challenge.span for challenge in self.challenges)]
        return 2 * period + 366 + sum(31 * span.months + span.days for span in spans)

    @cached_property
    def fingerprint(self) -> str:
        """Of all that decides who has which tier."""
        plain: dict[str, Any] = self.model_dump(mode="json")
        for tier in plain["tiers"]:
            for key in NOT_THE_STANDING:
                tier.pop(key)
        return sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def rolls(self) -> bool:
        """Whether sums shrink by themselves, day by day."""
        return any(self.period_of(metric).kind is Kind.ROLLING for metric in self.metrics)


def _lasts_while_met(info: ValidationInfo) -> bool:
    validity: Validity | None = info.data.get("validity")
    return validity is not None and validity.lasts is Lasts.WHILE_MET


def _names_metrics(where: str, path: Path, known: list[str]) -> None:
    for named in path.needs:
        if named not in known:
            raise _fault(f"{where} needs {named}, which metrics does not list{hint(named, known)}")


def _fault(text: str) -> PydanticCustomError:
    return PydanticCustomError("tiers", "{fault}", {"fault": text})
