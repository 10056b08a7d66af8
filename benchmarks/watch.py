"""Looking into Postgres: a server that counts its statements, and what they took.

With `BENCH_WATCH=1` every case ends with the statements that took most of the time, those within
functions by themselves. Counting costs some percent, so such a run is no measurement.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from rich.console import Console

from loyalty_app.embedded.postgres import KEEP_SAFE, Postgres, postgres
from loyalty_app.embedded.sizing import sized
from loyalty_app.embedded.unprivileged import home
from loyalty_app.settings import Settings

WATCHED = bool(os.environ.get("BENCH_WATCH"))
STATEMENTS_MAX = 25
TEXT_MAX = 110
OPTIONS = {
    **KEEP_SAFE,
    "shared_preload_libraries": "pg_stat_statements",
    "pg_stat_statements.track": "all",
    "pg_stat_statements.track_planning": "on",
    "track_io_timing": "on",
}
TOP = """
select calls, total_exec_time + total_plan_time as ms, rows, toplevel,
       regexp_replace(query, '\\s+', ' ', 'g') as query
  from pg_stat_statements order by 2 desc limit $1
"""


@contextmanager
def watched(settings: Settings) -> Iterator[Settings]:
    """Settings with a server that counts, where that is asked for and none was given."""
    if not WATCHED or settings.database_url is not None:
        yield settings
        return
    folder = home(settings.data_dir)
    options = {**OPTIONS, **sized(folder)}
    server = Postgres(folder, password="bench", options=options)
    with postgres(server) as url:
        yield settings.model_copy(update={"database_url": url})


async def begin(dsn: str) -> None:
    """Forget what setting up took."""
    if WATCHED:
        connection = await asyncpg.connect(dsn)
        await connection.execute("create extension if not exists pg_stat_statements")
        await connection.execute("select pg_stat_statements_reset()")
        await connection.close()


async def tell(dsn: str, console: Console | None = None) -> None:
    if not WATCHED:
        return
    connection = await asyncpg.connect(dsn)
    rows = await connection.fetch(TOP, STATEMENTS_MAX)
    await connection.close()
    for row in rows:
        inner = "" if row["toplevel"] else "  "
        text = f"{row['ms']:10.0f} ms {row['calls']:8} x {row['rows']:9} rows  {inner}"
        (console or Console(width=160)).print(text + row["query"][:TEXT_MAX], markup=False)
