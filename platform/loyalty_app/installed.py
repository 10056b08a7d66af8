"""The plugins that are installed, found by their entry points."""

from importlib.metadata import entry_points

GROUP = "loyalty.plugins"
FLOORS = ("loyalty", "loyalty_tenants")


def migration_packages() -> list[str]:
    """The packages that may own tables, in the order in which their migrations run.

    A plugin's package is the one its entry point names; it is not imported for that.
    """
    named = {point.module.partition(".")[0] for point in entry_points(group=GROUP)}
    return [*FLOORS, *sorted(named)]
