"""What a till was told so far, as the recorder and the job that fills counters would read it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from loyalty.facts import PurchaseReversed
from loyalty.ids import NIL
from loyalty.jobs.backfill import measured
from loyalty.plugin import Counter
from loyalty.settlement.batch import Batch
from loyalty.settlement.need_period import Period
from loyalty.settlement.sale import Sale
from loyalty.setup import Program, ProgramVersion, not_over

COLUMNS = (
    "id", "kind", "scope", "key", "member_id", "occurred_at", "cause_id", "hop", "actor",
    "request_id", "told_id", "payload", "answer", "body",
)  # fmt: skip


class Periods(dict[Period, Any]):
    """What was bought in any period, as the recorder would load it."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch

    def __contains__(self, period: object) -> bool:
        return True

    def __getitem__(self, period: Period) -> list[Sale]:
        return [
            sale
            for sale in self.batch.sales.values()
            if period.since <= sale.fact.occurred_at < period.before
        ]


def fill(batch: Batch, program: Program, version: ProgramVersion) -> None:
    """The counters of a version that none keeps by the time it is published, as the job fills them
    from history."""
    plugins, at = batch.plugins, version.published_at
    plugin = plugins.by_name[program.kind]
    kept = {
        name
        for one in not_over(program.versions, lambda one: one.effective_from <= at)
        for name in plugins.full_names(program, plugin, one)
    }
    counters = plugins.full_names(program, plugin, version)
    _fill(batch, program, {name: one for name, one in counters.items() if name not in kept})


def filled(till: Any) -> None:
    """All counters of the version that a till runs, anew."""
    [program] = till.setup.programs
    plugins = till.batch.plugins
    _fill(
        till.batch, program,
        plugins.full_names(program, plugins.by_name[program.kind], program.versions[-1]),
    )  # fmt: skip


def _fill(batch: Batch, program: Program, fresh: Mapping[str, Counter]) -> None:
    plugins = batch.plugins
    facts = [dict(zip(COLUMNS, row, strict=True)) for row in batch.book.rows.facts]
    returns: dict[UUID, list[Any]] = {}
    for row in facts:
        if row["kind"] == PurchaseReversed.KIND:
            returns.setdefault(row["cause_id"], []).append(row)
    for key in [key for key in batch.counted if key[0] in fresh]:
        del batch.counted[key]
    sums = measured(plugins, batch.setup, program.slug, fresh, facts, returns)
    for (name, subject, bucket), value in sums.items():
        batch.count(name, None if subject == NIL else subject, bucket, value)
