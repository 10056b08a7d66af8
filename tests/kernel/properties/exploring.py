"""How long the machines run: until they have been everywhere, or what the environment says."""

import os
from collections import Counter
from collections.abc import Mapping

from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from tests.faults import report

EXAMPLES = os.environ.get("LOYALTY_PROPERTY_EXAMPLES")  # of each seed; default: the machine's own
STEPS = int(os.environ.get("LOYALTY_PROPERTY_STEPS", "30"))
SEEDS = int(os.environ.get("LOYALTY_PROPERTY_SEEDS", "1"))  # at least so many,
SEEDS_MAX = max(SEEDS, 5)  # and so many where a floor is not reached before


def explore(
    machine: type[RuleBasedStateMachine],
    reached: Counter[str],
    floors: Mapping[str, int],
    *,
    examples: int,
) -> None:
    """Run a machine seed after seed until each situation was reached as often as its floor says.

    A machine that explores nothing proves nothing: what is not reached by the last seed fails.
    """
    size = int(EXAMPLES or examples)
    for number in range(SEEDS_MAX):
        run_state_machine_as_test(
            seed(number)(type(machine.__name__, (machine,), {})),
            settings=settings(
                max_examples=size, stateful_step_count=STEPS, deadline=None, database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )  # fmt: skip
        missed = {name: (reached[name], floor) for name, floor in floors.items()
                  if reached[name] < floor}  # fmt: skip
        if number + 1 >= SEEDS and not missed:
            break
    where = dict(reached.most_common())
    print(f"\nreached in {number + 1} x {size} x {STEPS}:", where)  # noqa: T201
    assert not missed, missed
    report.note(
        report.Row(
            place=300,
            what=f"anything may happen in any order: {machine.__mro__[1].__name__}",
            tried=f"{number + 1} times {size} stories of up to {STEPS} steps, beside a model",
            held="after each step the ledger is what the model says, and the audit finds nothing",
            measured=", ".join(f"{name} {times:,}" for name, times in reached.most_common(12)),
        )
    )
