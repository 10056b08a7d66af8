"""What falls due in points programs as in all others that let members earn."""

from loyalty_earning.jobs import budget_alarms, carry_over
from loyalty_points.facts import BudgetReached, CarriedOver

JOBS = (carry_over("points", CarriedOver), budget_alarms("points", BudgetReached))
