"""Who has something of a unit, for the jobs of points programs that look at each of them once."""

from functools import partial

from loyalty_earning import holders

SCOPE = "job:points"  # under which the facts that this plugin's jobs name are known for ever

with_at_least = partial(holders.with_at_least, SCOPE)
with_ending = partial(holders.with_ending, SCOPE)
facts_of = partial(holders.facts_of, SCOPE)
given = partial(holders.given, SCOPE)
refused = partial(holders.refused, SCOPE)
