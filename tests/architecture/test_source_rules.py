"""The repository keeps the rules about sources; and each rule finds what was planted for it."""

from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import entry_points

import pytest

from . import source_rules as rules
from .sources import REPO, ROOTS, Source, sources, texts, tracked

Rule = Callable[[Source], Iterator[str]]
RULES = (
    "platform/loyalty",
    "platform/loyalty_earning",
    "graphql_schema",
    "plugins",
    "tests/stamps/loyalty_stamps",
)
EVERYWHERE = (*ROOTS, "tests", "benchmarks", "examples")

# Who may, and why. A path that no longer needs it fails the test as well.
MAY: dict[Rule, dict[str, str]] = {
    rules.too_long: {
        "tests/tenants/test_token_vectors.py": "a table of tokens, one beside the other",
    },
    rules.wall_clock: {
        "platform/loyalty/clock.py": "this is the clock",
    },
    rules.chance: {
        "platform/loyalty/cache/balances.py": "lifetimes that do not end together",
        "platform/loyalty/cache/cluster.py": "which node is asked where any will do",
        "platform/loyalty/cache/hub.py": "pauses before connecting again",
        "platform/loyalty/jobs/worker.py": "workers that do not wake together",
        "platform/loyalty/recorder/attempts.py": "pauses before trying again",
        "plugins/loyalty_partners/graphql/link_code.py": "codes that nobody guesses",
    },
    rules.tenants_at_once: {
        "platform/loyalty/recorder/apart.py": "two tenants in one transaction is what it is for",
        "platform/loyalty/recorder/pair.py": "two tenants in one transaction is what it is for",
    },
    rules.past_the_lane: {
        "platform/loyalty/recorder/lane.py": "this is the lane",
        "platform/loyalty/jobs/errands.py": "a worker notes what it was answered, now and then",
        "platform/loyalty/jobs/visit.py": "a worker does one slice after the other",
        "platform/loyalty_app/demo_tenant.py": "nobody else writes there yet",
        "platform/loyalty_app/demo/direct.py": "measures the recorder itself",
        "platform/loyalty_app/demo/record_many.py": "measures the recorder itself",
    },
    rules.setting_a_tenant: {
        "platform/loyalty/citus.py": "the function that reads it, as Citus takes it",
        "platform/loyalty/database.py": "the tenant's transaction",
        "platform/loyalty/recorder/sides.py": "a transaction of two tenants",
    },
}


def found(rule: Rule, among: Iterable[Source]) -> list[str]:
    return [finding for source in among for finding in rule(source)]


def found_beyond_what_may(rule: Rule, *roots: str) -> tuple[list[str], list[str]]:
    """What a rule finds where it must not, and allowances that nobody needs."""
    findings, allowed = found(rule, sources(*roots)), MAY[rule]
    paths = {finding.partition(":")[0] for finding in findings}
    return [f for f in findings if f.partition(":")[0] not in allowed], sorted(set(allowed) - paths)


def test_files_and_functions_are_short() -> None:
    assert found_beyond_what_may(rules.too_long, *EVERYWHERE) == ([], [])


def test_names_say_something() -> None:
    assert found(rules.empty_names, sources(*EVERYWHERE)) == []


def test_nobody_asks_what_time_it_is_but_the_clock() -> None:
    assert found_beyond_what_may(rules.wall_clock, *ROOTS, "tests/stamps") == ([], [])


def test_chance_is_drawn_where_it_is_allowed_only() -> None:
    assert found_beyond_what_may(rules.chance, *RULES) == ([], [])


def test_queries_say_over_which_connection() -> None:
    assert found(rules.queries_without_connection, sources(*ROOTS, "tests/stamps")) == []


def test_nobody_opens_a_transaction_by_tortoise() -> None:
    assert found(rules.own_transactions, sources(*ROOTS, "tests/stamps")) == []


def test_only_a_pair_takes_a_connection_of_no_tenant() -> None:
    assert found_beyond_what_may(rules.tenants_at_once, *ROOTS, "tests/stamps") == ([], [])


def test_whoever_is_asked_from_outside_records_by_the_lane() -> None:
    assert found_beyond_what_may(rules.past_the_lane, *ROOTS) == ([], [])


def test_only_the_database_sets_a_tenant() -> None:
    assert found_beyond_what_may(rules.setting_a_tenant, *ROOTS, "tests/stamps") == ([], [])


def test_the_kernel_names_no_program() -> None:
    kinds = {point.name for point in entry_points(group="loyalty.plugins")} | {"stamps"}

    findings = [
        finding
        for source in sources("platform/loyalty")
        for finding in rules.names_a_program(source, kinds)
    ]

    assert findings == []


def test_source_roots_are_no_packages() -> None:
    there = [f"{root}/__init__.py" for root in ROOTS if (REPO / root / "__init__.py").exists()]

    assert there == []
    ignored = (REPO / ".gitignore").read_text().split()
    assert {f"/{root}/__init__.py" for root in ROOTS} <= set(ignored)


def test_the_repository_speaks_of_itself_only() -> None:
    assert found(rules.words, texts()) == []


def test_what_is_checked_is_there() -> None:
    """A check that looks at nothing is always green."""
    counts = {root: len(list(sources(root))) for root in (*ROOTS, "tests")}

    assert all(counts.values()), counts
    assert sum(counts.values()) > 150
    assert "pyproject.toml" in tracked()


PLANTED: list[tuple[Rule, str, str]] = [
    (rules.too_long, "a.py", "x = 1\n" * 301),
    (rules.too_long, "a.py", "def f():\n" + "    x = 1\n" * 50),
    (rules.empty_names, "platform/loyalty/utils.py", ""),
    (rules.empty_names, "platform/loyalty/date_helpers.py", ""),
    (rules.empty_names, "platform/loyalty/common/days.py", ""),
    (rules.empty_names, "a.py", "class LotManager: ..."),
    (rules.wall_clock, "a.py", "from datetime import datetime\ndatetime.now(UTC)"),
    (rules.wall_clock, "a.py", "from datetime import datetime as d\nask = d.utcnow"),
    (rules.wall_clock, "a.py", "import datetime\ndatetime.date.today()"),
    (rules.wall_clock, "a.py", "from datetime import date\ndate.today()"),
    (rules.wall_clock, "a.py", "import time\ntime.time()"),
    (rules.wall_clock, "a.py", "from time import time\ntime()"),
    (rules.chance, "a.py", "import random"),
    (rules.chance, "a.py", "from secrets import token_bytes"),
    (
        rules.queries_without_connection,
        "a.py",
        "from x import models\nasync def f():\n    return await models.Unit.all()",
    ),
    (
        rules.queries_without_connection,
        "a.py",
        "from x.models import Unit\nasync def f(c):\n"
        "    await Unit.all().using_db(c)\n    await Unit.create(code='p')",
    ),
    (rules.own_transactions, "a.py", "from tortoise.transactions import in_transaction"),
    (rules.own_transactions, "a.py", "import tortoise\ntortoise.transactions.in_transaction()"),
    (rules.tenants_at_once, "a.py", "async with database.tenants() as connection: ..."),
    (rules.past_the_lane, "a.py", "await context.api.recorder.record_many(tenant_id, requests)"),
    (rules.past_the_lane, "a.py", "record = recorder.record_many"),
    (rules.setting_a_tenant, "a.py", "q = f\"set local app.tenant = '{t}'\""),
    (rules.words, "a.md", "Answered as an " + "AI."),
    (rules.words, "a.py", "# see /wo" + "rk/main/x"),
    (rules.words, "a.txt", "--index" + "-url https://example.org/simple"),
    (rules.words, "a.py", "raise NotImplemented" + "Error"),
    (rules.words, "test_a.py", "@pytest.mark.sk" + "ip"),
    (lambda source: rules.names_a_program(source, {"points"}), "a.py", "if kind == 'points': ..."),
    (lambda source: rules.names_a_program(source, {"points"}), "a.py", "import loyalty_points"),
]


@pytest.mark.parametrize(("rule", "path", "text"), PLANTED)
def test_a_planted_fault_is_found(rule: Rule, path: str, text: str) -> None:
    assert len(found(rule, [Source(path, text)])) >= 1


FINE: list[tuple[Rule, str, str]] = [
    (rules.too_long, "a.py", "x = 1\n" * 300),
    (rules.too_long, "a.py", "def f():\n" + "    x = 1\n" * 49),
    (rules.empty_names, "platform/loyalty/database.py", "class Database: ..."),
    (rules.empty_names, "platform/loyalty/baseline.py", ""),
    (rules.wall_clock, "a.py", "def f(clock):\n    return clock.now()"),
    (rules.wall_clock, "a.py", "import time\ntime.monotonic()"),
    (rules.chance, "a.py", "def f(view):\n    return view.chance('x')"),
    (
        rules.queries_without_connection,
        "a.py",
        "from x import models\nasync def f(c):\n"
        "    asked = models.Unit.filter(code='p')\n    return await asked.using_db(c)",
    ),
    (
        rules.queries_without_connection,
        "a.py",
        "from x import models\nasync def f(c):\n    return await models.Unit.get(using_db=c)",
    ),
    (rules.tenants_at_once, "a.py", "async with database.tenant(tenant_id) as connection: ..."),
    (rules.past_the_lane, "a.py", "await context.api.lanes.record_many(tenant_id, requests)"),
    (rules.words, "a.md", "a session of a member; the network (of brands)"),
]


@pytest.mark.parametrize(("rule", "path", "text"), FINE)
def test_what_is_fine_is_not_found(rule: Rule, path: str, text: str) -> None:
    assert found(rule, [Source(path, text)]) == []
