"""What a tenant sets for a cashback program. Its JSON Schema is published, so every key says what
it is for. A config that was accepted never fails a rule later."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from loyalty.effects import AccountingClass
from loyalty_cashback.commands import Choose
from loyalty_cashback.payouts import Payouts
from loyalty_earning import commands as earning
from loyalty_earning.config import RULES_MAX, EarningConfig
from loyalty_earning.earning_rule import EarningRule, UnitCode
from loyalty_earning.faults import Fault, faulty
from loyalty_earning.misfits import called
from loyalty_earning.notation import Currency
from loyalty_earning.section import MIN_ONE, Section, has_some

CURRENCIES_MAX = 50


class MoneyUnit(Section):
    """A currency, and the unit in which what is paid in it gives cashback."""

    currency: Currency
    """ISO 4217 code."""
    unit: UnitCode
    """Code of the tenant's unit of money in this currency."""


class CashbackRule(EarningRule):
    """Money back for what a member pays or does. Every rule grants on its own, under its own name.

    `points`, `at_least` and the like are amounts of money here: of the unit that the rule gives."""

    accounting_class: AccountingClass = AccountingClass.CASHBACK
    """What it is to the books: CASHBACK takes it off the revenue of the sale."""


class CashbackConfig(EarningConfig):
    """A cashback program: what members get back, and how it is paid out."""

    chosen_by: ClassVar[type[earning.Choose] | None] = Choose

    unit: UnitCode
    """Code of the tenant's unit of money in `currency`."""
    currency: Currency
    """The currency of `unit`; also what `amount("25.00")` means in conditions."""
    other_currencies: Annotated[
        tuple[MoneyUnit, ...], Field(max_length=CURRENCIES_MAX, validate_default=True)
    ] = ()
    """Further currencies in which purchases give cashback, each with a unit of its own."""
    rules: Annotated[
        tuple[CashbackRule, ...],
        Field(max_length=RULES_MAX, json_schema_extra=MIN_ONE),
        AfterValidator(has_some),
    ]
    """Earning rules, judged in this order; each adds its own money."""
    payout: Annotated[Payouts, Field(validate_default=True)] = Payouts()
    """How members come by their money."""

    @field_validator("other_currencies")
    @classmethod
    def _each_once(
        cls, others: tuple[MoneyUnit, ...], info: ValidationInfo
    ) -> tuple[MoneyUnit, ...]:
        currencies = [info.data.get("currency"), *(one.currency for one in others)]
        units = [info.data.get("unit"), *(one.unit for one in others)]
        for what, names in (("currency", currencies), ("unit", units)):
            if twice := [one for at, one in enumerate(names) if one in names[:at]]:
                raise _fault(f"the {what} {twice[0]} is named twice")
        return others

    @model_validator(mode="after")
    def _rules_are_in_its_currencies(self) -> Self:
        faults = [
            (("rules", at, *path), f"{called(rule)} {text}")
            for at, rule in enumerate(self.rules)
            for path, text in _misfits(rule, self.units_by_currency)
        ]
        if faults:
            raise faulty(faults)
        return self

    @field_validator("payout")
    @classmethod
    def _has_minimums_in_its_currencies(cls, payout: Payouts, info: ValidationInfo) -> Payouts:
        known = _currencies(info.data)
        for way in (payout.statement, payout.on_request):
            if way is None or way.minimum is None or "other_currencies" not in info.data:
                continue
            if odd := sorted(set(way.minimum) ^ known):
                raise _fault(f"a minimum names each currency of the program: see {odd[0]}")
        terms = [info.data.get("terms"), *(rule.terms for rule in info.data.get("rules", ()))]
        if any(one is not None and one.waits_for_activation for one in terms):
            raise _fault("money waits for no activation: give pending_days or return_window")
        return payout

    @cached_property
    def units_by_currency(self) -> Mapping[str, str]:
        others = {one.currency: one.unit for one in self.other_currencies}
        return {self.currency: self.unit, **others}

    @cached_property
    def money(self) -> Mapping[str, str]:
        """The currency of each of its units: what they are worth."""
        return {unit: currency for currency, unit in self.units_by_currency.items()}

    @property
    def units(self) -> tuple[str, ...]:
        return tuple(self.units_by_currency.values())

    @property
    def currencies(self) -> tuple[str, ...]:
        return tuple(self.units_by_currency)

    def unit_of(self, rule: EarningRule, currency: str | None = None) -> str | None:
        if currency is None:
            return rule.unit or self.unit
        unit = self.units_by_currency.get(currency)
        return None if unit is None else rule.unit or unit


def _misfits(rule: CashbackRule, units: Mapping[str, str]) -> Iterator[Fault]:
    """Of a rule under the program's currencies, each with its unit."""
    for key, amounts in (("per", rule.per), ("minimum_purchase", rule.minimum_purchase)):
        for currency in amounts or ():
            if currency not in units:
                yield (key, currency), f"names {currency}, which is no currency of the program"
    for at, also in enumerate(rule.also):
        if also.unit in units.values():
            yield ("also", at, "unit"), f"gives {also.unit} twice: also names other units"


def _currencies(known: Mapping[str, Any]) -> set[str]:
    return {known.get("currency", ""), *(one.currency for one in known.get("other_currencies", ()))}


def _fault(text: str) -> PydanticCustomError:
    return PydanticCustomError("config", "{fault}", {"fault": text})
