"""The files that take longest, first of all where workers share the tests.

A file is one worker's. One that is begun last holds up the end of the run by all that it takes, so
they are begun first; within a few seconds of one another their order does not matter.
"""

LONGEST = (
    # `make test`
    "kernel/watchdog/test_watchdog.py",
    "demo/test_demo_replay.py",
    "delivery/test_container.py",
    "graphql/test_strange_values.py",
    "kernel/properties/test_ledger_machine.py",
    "plugins/referrals/test_referral_properties.py",
    "kernel/properties/test_sales_machine.py",
    "app/test_up.py",
    "architecture/test_source_rules.py",
    "kernel/backtest/test_as_recorded.py",
    "graphql/test_roles.py",
    "graphql/admin/test_admin_roles.py",
    "docs/test_docs_stories.py",
    "kernel/jobs/test_worker_process.py",
    "demo/test_demo_baskets.py",
    "graphql/test_tenancy.py",
    "graphql/test_open_policies.py",
    "scenarios/test_rei.py",
    "plugins/partners/test_partners_exchange.py",
    "plugins/points/test_points_properties.py",
    # `make faults`
    "faults/test_fairness.py",
    "faults/test_webhook_poison.py",
    "faults/test_webhook_kills.py",
    "faults/test_hostile_documents.py",
    "faults/test_slow_clients.py",
    "faults/test_key_hosts.py",
    "faults/test_api_killed.py",
    "faults/test_migrations_under_load.py",
    "faults/test_rolling_restarts.py",
    "faults/test_disk_full.py",
    "faults/test_postgres_killed.py",
    "faults/test_valkey.py",
)


def place(name: str) -> int:
    """Where a file stands, by its path in tests/."""
    return LONGEST.index(name) if name in LONGEST else len(LONGEST)
