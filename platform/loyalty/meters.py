"""What the kernel counts of its own work, for Prometheus: names, units and labels are published.

Counted where it happens, in this process; labels have few values, and none is a tenant's, a
member's or anything a client sent.
"""

from prometheus_client import Counter, Gauge, Histogram

BATCH_REQUESTS = Histogram(
    "loyalty_batch_requests",
    "Requests that one transaction of the recorder took.",
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500),
)
RECORD_SECONDS = Histogram(
    "loyalty_record_seconds",
    "Time in which a batch was recorded, from its begin until the cache was told of its commit.",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
APPEND_SECONDS = Histogram(
    "loyalty_append_seconds",
    "Time in which the ledger appended a part of a batch.",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2),
)
LANE_WAITING = Gauge(
    "loyalty_lane_waiting_requests",
    "Requests that wait for their tenant's next transaction.",
    multiprocess_mode="livesum",
)
POOL_WAIT_SECONDS = Histogram(
    "loyalty_pool_wait_seconds",
    "Time until a database connection was had.",
    buckets=(0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1),
)
POOL_USED = Gauge(
    "loyalty_pool_used_connections",
    "Database connections in use.",
    multiprocess_mode="livesum",
)
CACHE_READS = Counter(
    "loyalty_cache_reads",
    "Balances that were looked for in the cache, by what came of it: hits, misses, stale (older "
    "than the reader asked for), corrupt, errors.",
    ["answer"],
)
WORKER_DONE = Counter(
    "loyalty_worker_done",
    "Things a worker did, by duty.",
    ["duty"],
)
RETENTION_DELETED = Counter(
    "loyalty_retention_deleted_rows",
    "Rows that were deleted because their time was over, by what they were.",
    ["what"],
)
WORKER_FAILURES = Counter(
    "loyalty_worker_failures",
    "Slices of a worker's duties that failed and are tried again, by duty.",
    ["duty"],
)
BACKLOG_SECONDS = Gauge(
    "loyalty_backlog_seconds",
    "Age of the oldest thing that is due and not done, over all tenants: outbox, jobs, "
    "follow_ons, lots, holds. 0 where nothing waits.",
    ["queue"],
    multiprocess_mode="max",
)
OUTSIDE_SECONDS = Gauge(
    "loyalty_outside_waiting_seconds",
    "Age of what has waited longest for a word from outside, over all tenants, by errand. 0 where "
    "nothing waits.",
    ["errand"],
    multiprocess_mode="max",
)
AUDITS = Counter(
    "loyalty_ledger_audits",
    "Audits of a tenant's ledger that came to their end, whatever they found.",
)
AUDIT_AGE_SECONDS = Gauge(
    "loyalty_ledger_audit_age_seconds",
    "Time since the tenant whose ledger was audited longest ago was; 0 before any was.",
    multiprocess_mode="max",
)
AUDIT_FINDINGS = Gauge(
    "loyalty_ledger_audit_findings",
    "Rows that break an invariant of the ledger, by the newest audit of each tenant.",
    multiprocess_mode="max",
)
