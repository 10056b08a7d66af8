"""What is kept about people is declared: every table, every column and every field of a fact that
could say who somebody is goes with an erasure, or says why it stays."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, get_args

import pytest

from loyalty.personal import PersonalRows, personal_paths
from loyalty.plugin_set import PluginSet
from loyalty.privacy.erasing import statement
from loyalty.privacy.kernel_rows import IMPERSONAL as OF_KERNEL
from loyalty.privacy.registry import Registry
from loyalty_app.installed import installed
from loyalty_stamps.plugin import plugin as stamps
from loyalty_tenants.privacy.tenant_rows import IMPERSONAL as OF_TENANTS
from loyalty_tenants.privacy.tenant_rows import TENANT_ROWS

PLUGINS = PluginSet([*installed(), stamps])
ROWS = Registry(PLUGINS, TENANT_ROWS).rows
IMPERSONAL: Mapping[str, str] = {
    **OF_KERNEL, **OF_TENANTS,
    **{table: why for plugin in PLUGINS.plugins for table, why in plugin.impersonal.items()},
}  # fmt: skip
# Columns that can say who somebody is: whoever writes text may write a name.
TELLING = ("text", "text[]", "jsonb", "json", "bytea", "inet", "character varying")
COLUMNS = """
select c.relname as "table", a.attname as name, format_type(a.atttypid, null) as type
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
 where n.nspname = 'loyalty' and c.relkind in ('r', 'p') order by 1, 2
"""
# Columns by which a member is found; who has one cannot be impersonal.
OF_A_MEMBER = {"member_id", "friend_id", "referrer_id", "buddy_id"}

# Fields of facts that are text and stay, wherever they are, and why.
STAYS: Mapping[str, str] = {
    **dict.fromkeys(
        ("source", "external_id", "revision", "return_id", "purchase_external_id", "lines.id",
         "order", "redemption_id", "tenders.redemption_id", "movement.ref", "reversed_scope",
         "reversed_key", "invoice", "event", "payout"),
        "the tenant's name of what happened: by it a repeat is known for one",
    ),
    **dict.fromkeys(
        ("lines.sku", "lines.category", "lines.brand"), "what was sold, not to whom"
    ),
    **dict.fromkeys(
        ("program", "unit", "movement.unit", "rule", "target", "budget", "choice", "options",
         "before", "reward", "rewards", "reason_code", "type", "activity", "plan", "price",
         "tier", "rules", "challenge", "challenges", "step", "issuing", "names", "partner"),
        "words of the tenant's config",
    ),
    **dict.fromkeys(
        ("currency", "movement.currency", "amount", "amounts", "given", "percent", "part", "sums",
         "day", "up_to", "issues_on", "expires_at", "expires_after", "expires_end"),
        "amounts, days and what they are counted in",
    ),
    **dict.fromkeys(
        ("owner.kind", "via", "verdict", "reasons", "side", "status", "change", "way", "provider"),
        "one of a few words of ours",
    ),
    "detail": "what a plugin must know again of what it undoes: amounts",
    "by": "who of the staff answers for it",
}  # fmt: skip
# Of single kinds.
STAYS_IN: Mapping[str, str] = {
    "tiers.changed/1 reason": "one of a few words of ours",
    "subscriptions.payment_due/1 amounts": "amounts",
}


async def columns(connection: Any) -> Mapping[str, Mapping[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for row in await connection.fetch(COLUMNS):
        found.setdefault(row["table"], {})[row["name"]] = row["type"]
    return found


def undeclared(
    tables: Mapping[str, Mapping[str, str]], rows: Mapping[str, PersonalRows]
) -> Iterator[str]:
    """What nobody says anything of."""
    for table, names in tables.items():
        if (declared := rows.get(table)) is None:
            if table not in IMPERSONAL:
                yield f"{table} is declared nowhere"
            elif OF_A_MEMBER & names.keys():
                yield f"{table} has a member and is called impersonal"
            continue
        if declared.deleted:
            continue
        for name, kind in names.items():
            if kind in TELLING and name not in {**declared.erased, **declared.kept}:
                yield f"{table}.{name} neither goes nor says why it stays"
        for name in (*declared.erased, *declared.kept, *declared.hidden):
            if name not in names:
                yield f"{table}.{name} is not there"


async def test_every_table_and_column_is_declared(superuser: Any) -> None:
    tables, rows = await columns(superuser), {one.table: one for one in ROWS}
    assert list(undeclared(tables, rows)) == []
    assert sorted({*rows, *IMPERSONAL} - tables.keys()) == []
    assert sorted(rows.keys() & IMPERSONAL.keys()) == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("create table loyalty.diary (member_id uuid)", "diary is declared nowhere"),
        ("alter table loyalty.lot add note text", "lot.note neither goes nor says why it stays"),
        ("alter table loyalty.inbox add member_id uuid", "inbox has a member and is called imp"),
        ("alter table loyalty.cashback_payout drop reference", "cashback_payout.reference is not"),
    ],
)
async def test_what_is_not_declared_is_found(superuser: Any, change: str, found: str) -> None:
    transaction = superuser.transaction()
    await transaction.start()
    try:
        await superuser.execute(change)
        faults = list(undeclared(await columns(superuser), {one.table: one for one in ROWS}))
    finally:
        await transaction.rollback()
    assert [fault[: len(found)] for fault in faults] == [found]


@pytest.mark.parametrize("rows", [one for one in ROWS if not one.by_kernel], ids=lambda r: r.table)
async def test_whoever_erases_may(superuser: Any, rows: PersonalRows) -> None:
    """The API's login has the rights that its statement needs, and the statement is well formed."""
    if not rows.deleted and not rows.erased:
        return
    await superuser.execute("set role loyalty_app")
    try:
        await superuser.execute(f"prepare erasing as {statement(rows)}")
        await superuser.execute("deallocate erasing")
        verb = "delete" if rows.deleted else "update"
        may = "has_table_privilege" if rows.deleted else "has_column_privilege"
        for name in [""] if rows.deleted else rows.erased:
            column = "" if rows.deleted else f", '{name}'"
            assert await superuser.fetchval(
                f"select {may}('loyalty.{rows.table}'{column}, $1)", verb
            )
    finally:
        await superuser.execute("reset role")


def texts(kind: type[Any], before: str = "") -> Iterator[str]:
    """Paths of a fact that can hold a word of somebody's."""
    for one in fields(kind):
        if one.name == "member":
            continue
        inner = [x for x in (one.type, *get_args(one.type)) if isinstance(x, type)]
        for part in inner:
            if is_dataclass(part):
                yield from texts(part, f"{before}{one.name}.")
        if any(name in str(one.type) for name in ("str", "Any", "Mapping", "dict")) or any(
            issubclass(part, str) and not issubclass(part, Enum) for part in inner
        ):
            yield before + one.name


@pytest.mark.parametrize("kind", sorted(PLUGINS.codec.types))
def test_every_text_of_a_fact_goes_or_says_why_it_stays(kind: str) -> None:
    fact = PLUGINS.codec.types[kind]
    goes = {path.replace("*.", "") for path in personal_paths(fact)}
    silent = [
        path
        for path in texts(fact)
        if not any(path == one or path.startswith(f"{one}.") for one in goes)
        and path not in STAYS
        and f"{kind} {path}" not in STAYS_IN
    ]
    assert silent == []
