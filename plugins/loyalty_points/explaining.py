"""What a points program says of a fact: of its rules, and of what a day of its calendar left."""

from collections.abc import Iterator

from loyalty.explained import Explained
from loyalty.facts import Fact
from loyalty.view import GrantView, View
from loyalty_earning import explaining
from loyalty_points.config import PointsConfig
from loyalty_points.facts import ConversionDue, DividendDue
from loyalty_points.issuing import Issued, Issuing
from loyalty_points.rules.dividend import BELOW_MINIMUM
from loyalty_points.rules.issuing import MAX_PER_WINDOW, MAX_PER_YEAR


def explain(config: PointsConfig, fact: Fact, view: View) -> Iterator[Explained]:
    """Every rule that looks at such a fact, in the config's order."""
    issued: dict[str, Issued] = {}
    if isinstance(fact, ConversionDue):
        issued = {one.id: one for one in config.issuing}
    elif isinstance(fact, DividendDue) and config.dividend is not None:
        issued = {config.dividend.id: config.dividend}
    else:
        yield from explaining.explain(config, fact, view)
    for grant in view.grants:
        if grant.program == view.program and (one := issued.get(grant.rule)) is not None:
            yield Explained(
                rule=one.id, label=one.label, unit=one.unit, fired=True,
                accounting_class=one.accounting_class, message=_cut(config, one, grant, view),
            )  # fmt: skip


def _cut(config: PointsConfig, of: Issued, grant: GrantView, view: View) -> str | None:
    left = view.text(grant.unit, grant.wanted - grant.granted)
    if isinstance(of, Issuing) and grant.cut_by in (MAX_PER_WINDOW, MAX_PER_YEAR):
        window = grant.cut_by == MAX_PER_WINDOW
        most = of.max_per_window if window else of.max_per_year
        whole = "window" if window else "calendar year"
        return f"its most of {most} a {whole} leaves {left} out: the points for it stay"
    if grant.cut_by == BELOW_MINIMUM and config.dividend is not None:
        return f"the base is below its minimum of {config.dividend.minimum}: it has no dividend"
    return None
