"""The plugins that are installed, found by their entry points."""

from importlib.metadata import entry_points

from loyalty.plugin import Plugin

GROUP = "loyalty.plugins"
DISTRIBUTION = "loyalty-platform"
FLOORS = ("loyalty", "loyalty_tenants")


def installed() -> tuple[Plugin, ...]:
    """Every installed plugin, ours and others', by name."""
    return tuple(point.load() for point in sorted(entry_points(group=GROUP), key=lambda p: p.name))


def shipped() -> tuple[Plugin, ...]:
    """The plugins that belong to this distribution: those of the committed schema."""
    points = (p for p in entry_points(group=GROUP) if p.dist and p.dist.name == DISTRIBUTION)
    return tuple(point.load() for point in sorted(points, key=lambda point: point.name))


def migration_packages() -> list[str]:
    """The packages that may own tables, in the order in which their migrations run.

    A plugin's package is the one its entry point names; it is not imported for that.
    """
    named = {point.module.partition(".")[0] for point in entry_points(group=GROUP)}
    return [*FLOORS, *sorted(named)]
