"""The smoke part: what runs once more with PgBouncer before PostgreSQL (`make test-pgbouncer`)."""

SMOKE = (
    "kernel/test_tenant_transaction.py",  # nothing of a tenant stays in a session
    "kernel/recorder/test_recording.py",
    "kernel/recorder/test_batches.py",
    "kernel/recorder/test_holds.py",
    "kernel/recorder/test_returns.py",
    "kernel/recorder/test_pairs.py",  # two tenants in one transaction
    "kernel/recorder/test_balances_as_of.py",
    "kernel/concurrency/test_cancelling.py",  # connections in doubt are ended, not handed back
    "kernel/concurrency/test_races.py",
    "kernel/jobs/test_outbox.py",
    "kernel/audit/test_audit.py",
    "tenants/test_onboarding.py",
    "tenants/test_api_keys.py",
    "graphql/test_balances.py",
    "graphql/test_balance_changed.py",
    "graphql/test_record_purchases.py",
    "scale/test_pgbouncer.py",
)
