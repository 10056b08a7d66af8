"""Members' sums as the counters hold them now, for who looks from outside a settlement."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from loyalty.counters import kept_since, stored_as
from loyalty.plugin import Connection
from loyalty.setup import Program, Setup
from loyalty_tiers.config import TiersConfig
from loyalty_tiers.counting import Sums, is_plain, qualifying

Rows = Sequence[tuple[datetime, int]]
_COUNTED = """
select c.member_id, c.name, c.bucket, c.value from unnest($1::uuid[], $2::text[]) w (id, name)
  cross join lateral (
    select c.* from loyalty.counter c
     where c.tenant_id = (select loyalty.tenant()) and c.name = w.name
       and c.member_id = w.id and c.value <> 0 offset 0) c
 order by c.bucket
"""


def stored_names(program: Program, config: TiersConfig) -> list[str]:
    """Under which names the counters of a ladder's metrics are kept, in the metrics' order."""
    kept = {counter.name: counter for counter in qualifying(config)}
    return [stored_as(program.slug, kept[metric.counter_name]) for metric in config.metrics]


async def counted(
    connection: Connection, keys: Sequence[tuple[UUID, str]]
) -> Mapping[tuple[UUID, str], Rows]:
    """By member and stored name, the buckets of a counter."""
    found: dict[tuple[UUID, str], list[tuple[datetime, int]]] = {}
    members, names = [member for member, _ in keys], [name for _, name in keys]
    for row in await connection.fetch(_COUNTED, members, names):
        found.setdefault((row["member_id"], row["name"]), []).append((row["bucket"], row["value"]))
    return found


def sums_of(
    setup: Setup, config: TiersConfig, enrolled_at: datetime | None, rows: Sequence[Rows],
    now: datetime,
) -> Sums:  # fmt: skip
    """Out of the rows of each metric's counter, in their order."""
    totals: dict[str, int] = {}
    buckets: dict[str, Rows] = {}
    for metric, counter, found in zip(config.metrics, qualifying(config), rows, strict=True):
        if is_plain(config, metric):
            totals[metric.id] = sum(value for _, value in found)
        else:
            since = kept_since(counter, now, setup.zone)
            buckets[metric.id] = [row for row in found if row[0] >= since]
    return Sums(
        config=config, zone=setup.zone, enrolled_at=enrolled_at, totals=totals, buckets=buckets,
        places={one.id: one.places(lambda unit: setup.places(unit) or 0) for one in config.metrics},
    )  # fmt: skip
