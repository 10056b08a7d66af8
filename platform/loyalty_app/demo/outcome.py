"""What a whole demo came to, as a table for people."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.table import Table

from loyalty_app.demo.baskets import Oddities
from loyalty_app.demo.tally import Tally

SHOWN_MAX = 10


@dataclass(slots=True, kw_only=True)
class Outcome:
    members: int
    tally: Tally
    expired: int
    outstanding: int
    oddities: Oddities
    alone: float  # baskets a second through `record_many` by itself
    findings: Sequence[str] = ()  # of the audit
    differences: Sequence[str] | None = field(default=None)  # None: not compared

    @property
    def good(self) -> bool:
        return not (self.findings or self.differences or self.tally.refusals)

    def table(self) -> Table:
        tally = self.tally
        baskets = len(tally.points)
        table = Table(title="The Complete Journey", show_header=False, title_justify="left")
        table.add_column(style="bold")
        table.add_column(justify="right")
        for name, value in (
            ("members", f"{self.members:,}"),
            ("baskets", f"{baskets:,}"),
            ("  of them replayed", f"{tally.replayed:,}"),
            ("  refused", f"{tally.refusals.total():,}"),
            ("points granted", f"{tally.granted:,}"),
            ("points redeemed", f"{tally.redeemed:,}"),
            ("points expired", f"{self.expired:,}"),
            ("points left to spend", f"{self.outstanding:,}"),
            ("redemptions skipped (too few points)", f"{tally.skipped:,}"),
            ("lines without a quantity, sent as one piece", f"{self.oddities.no_quantity:,}"),
            ("lines that cost nothing", f"{self.oddities.no_amount:,}"),
            ("lines of unknown products", f"{self.oddities.unknown_product:,}"),
            ("baskets a second over HTTP", f"{baskets / max(tally.seconds, 1e-9):,.0f}"),
            ("baskets a second of record_many alone", f"{self.alone:,.0f}"),
        ):
            table.add_row(name, value)
        return table

    def verdicts(self) -> list[str]:
        """Sentences on the audit and the comparison, worst parts named."""
        found = [*_first("The audit found", self.findings)]
        found = found or ["The audit is clean."]
        refused = [f"{code}: {times}" for code, times in self.tally.refusals.items()]
        found += _first("Refused", refused)
        if self.differences is not None:
            same = "Every basket, balance and sum is what the independent computation says."
            found += _first("Differs", self.differences) or [same]
        return found


def _first(what: str, lines: Sequence[str]) -> list[str]:
    if not lines:
        return []
    more = [f"  ... and {len(lines) - SHOWN_MAX:,} more"] if len(lines) > SHOWN_MAX else []
    return [f"{what} ({len(lines):,}):", *(f"  {line}" for line in lines[:SHOWN_MAX]), *more]
