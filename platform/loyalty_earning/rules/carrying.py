"""What a cap cut in an earlier period is given in a later one."""

from collections.abc import Iterator

from loyalty.effects import Grant
from loyalty.view import View
from loyalty_earning.choices import with_defaults
from loyalty_earning.config import EarningConfig
from loyalty_earning.facts import CarriedOver
from loyalty_earning.lifetime import instants


def carry(config: EarningConfig, fact: CarriedOver, view: View) -> Iterator[Grant]:
    """All that is owed; the cap itself then lowers it to its room in the new period."""
    carrying = config.carrying.values()
    on = next((one for one in carrying if fact.is_of(one.target, one.unit)), None)
    if fact.program != view.program or on is None:
        return
    owed = view.counters[on.owed]
    if owed <= 0:
        return
    rule = on.shown_by(config.rules)
    terms = rule.terms or config.terms
    when = instants(terms, fact.occurred_at, with_defaults(config.choices, view))
    yield Grant(
        unit=on.unit,
        wanted=owed,
        granted=owed,
        rule=on.carried,
        label=f"{rule.label}, carried over",
        accounting_class=rule.accounting_class,
        available_at=when.available_at,
        settles_at=when.settles_at,
        expires_at=when.expires_at,
        take_back=terms.take_back,
        inputs={"owed": owed},
    )
