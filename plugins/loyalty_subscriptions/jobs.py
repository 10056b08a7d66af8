"""What falls due in programs of subscriptions: ends of periods and of grace, fees to try again."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from loyalty.facts import MemberRef
from loyalty.plugin import Connection, Due, Job
from loyalty.setup import Setup
from loyalty_earning.jobs import budget_alarms
from loyalty_subscriptions.facts import BudgetReached, SubscriptionDue
from loyalty_subscriptions.subscription import Provider
from loyalty_subscriptions.tables import due

AT_ONCE = 500


async def subscriptions_due(
    connection: Connection, setup: Setup, now: datetime
) -> AsyncIterator[Due]:
    """The next step of each subscription that has one, the oldest first, as many as are recorded
    at once. Each step says when the next one is: what was missed is made up for in order."""
    running = (one for one in setup.programs if one.kind == "subscriptions" and one.at(now))
    slugs = {one.id: one.slug for one in running}
    for row in await due(connection, list(slugs), now, AT_ONCE):
        step = f"{row['program_id']}:{row['member_id']}:{row['provider']}:{row['reference']}"
        yield Due(
            key=f"due:{step}:{row['due_at'].isoformat()}",
            fact=SubscriptionDue(
                member=MemberRef(id=row["member_id"]),
                occurred_at=row["due_at"],
                program=slugs[row["program_id"]],
                provider=Provider(row["provider"]),
                reference=row["reference"],
            ),
        )


JOBS = (
    Job(
        name="due", every=timedelta(minutes=5), due=subscriptions_due, each_turn=False,
        side_by_side=True,
    ),
    budget_alarms("subscriptions", BudgetReached),
)  # fmt: skip
