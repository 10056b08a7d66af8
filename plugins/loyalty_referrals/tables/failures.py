"""Codes that were named and are none: how many, by whom, in which hour."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from loyalty.plugin import Connection, WriteRow

KEPT = timedelta(days=2)
_FAILED = """
select f.caller, f.failures from unnest($1::text[]) w (caller)
  join loyalty.referral_failure f on f.tenant_id = (select loyalty.tenant())
   and f.caller = w.caller and f.hour = $2
"""
_COUNT = """
insert into loyalty.referral_failure (tenant_id, caller, hour, failures)
select (select loyalty.tenant()), w.caller, w.hour, w.failures
  from unnest($1::text[], $2::timestamptz[], $3::bigint[]) w (caller, hour, failures)
 order by w.caller, w.hour
on conflict (tenant_id, caller, hour)
   do update set failures = referral_failure.failures + excluded.failures
"""
_FORGET = """
delete from loyalty.referral_failure
 where tenant_id = (select loyalty.tenant()) and hour < $1
"""


def hour_of(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


async def failures_of(
    connection: Connection, callers: Iterable[str], at: datetime
) -> Mapping[str, int]:
    """How many codes that are none each caller named in the hour of an instant."""
    rows = await connection.fetch(_FAILED, sorted(callers), hour_of(at))
    return {row["caller"]: row["failures"] for row in rows}


async def write_failures(connection: Connection, rows: Sequence[WriteRow]) -> None:
    counted = Counter((caller, hour_of(row.row.at)) for row in rows for caller in row.row.callers)
    await connection.execute(
        _COUNT,
        [caller for caller, _ in counted],
        [hour for _, hour in counted],
        list(counted.values()),
    )
    await connection.execute(_FORGET, max(hour for _, hour in counted) - KEPT)
