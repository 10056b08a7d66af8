"""Names that every condition may use: the instant, the member, what the member chose."""

from calendar import isleap
from datetime import date
from typing import Any, TypeVar

from loyalty.conditions.name import Name, NameType
from loyalty.conditions.scene import Scene
from loyalty.days import local_day
from loyalty.kept import NotKept

T = TypeVar("T")

UNKNOWN = -1
WEEKDAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
BIRTHDAY = "birthday"


def tier(scene: Scene) -> str:
    """The trait `tier` of the first program, in their order, that has one for the member."""
    found = _of_first(scene, ".tier", str)
    return "" if found is None else found


def tiers(scene: Scene) -> list[str]:
    """The trait `tiers` in the same way: of the same program, where it sets both."""
    found = _of_first(scene, ".tiers", list)
    return [] if found is None else list(found)


def _of_first(scene: Scene, name: str, kind: type[T]) -> T | None:
    """The first program's that is of this type and not empty."""
    programs = sorted(scene.view.setup.programs, key=lambda one: (one.position, one.slug))
    unread, known = None, False
    for program in programs:
        try:
            trait = scene.view.traits.get(f"{program.slug}{name}")
        except NotKept as error:  # a program that came since the decision was made
            unread = error
            continue
        known = True
        if trait is not None and isinstance(trait.value, kind) and trait.value:
            return trait.value
    if unread is not None and not known:
        raise unread
    return None


def traits(scene: Scene) -> dict[str, Any]:
    return {name: trait.value for name, trait in scene.view.traits.items()}


def choice(scene: Scene) -> Any:
    trait = scene.view.traits.get(f"{scene.view.program}.choices")
    return {} if trait is None else trait.value


def enrolled_days(scene: Scene) -> int:
    member = scene.view.member
    if member is None or member.enrolled_at is None:
        return UNKNOWN
    since = local_day(member.enrolled_at, scene.view.zone)
    return max((scene.local.date() - since).days, 0)


def days_to_birthday(scene: Scene) -> int:
    born, today = _birthday(scene), scene.local.date()
    if born is None:
        return UNKNOWN
    this_year = _in_year(born, today.year)
    nearest = this_year if this_year >= today else _in_year(born, today.year + 1)
    return (nearest - today).days


def days_since_birthday(scene: Scene) -> int:
    born, today = _birthday(scene), scene.local.date()
    if born is None:
        return UNKNOWN
    this_year = _in_year(born, today.year)
    nearest = this_year if this_year <= today else _in_year(born, today.year - 1)
    return (today - nearest).days


def birthday_month(scene: Scene) -> int:
    born = _birthday(scene)
    return UNKNOWN if born is None else born[0]


def _birthday(scene: Scene) -> tuple[int, int] | None:
    """Month and day, from `MM-DD` or `YYYY-MM-DD`."""
    member = scene.view.member
    text = None if member is None else member.attributes.get(BIRTHDAY)
    if not isinstance(text, str):
        return None
    try:
        day = date.fromisoformat(text if len(text) == 10 else f"2000-{text}")
    except ValueError:
        return None
    return day.month, day.day


def _in_year(born: tuple[int, int], year: int) -> date:
    return date(year, 3, 1) if born == (2, 29) and not isleap(year) else date(year, *born)


NAMES = (
    Name("at", NameType.TIMESTAMP, "When it happened.", lambda s: s.at),
    Name(
        "local.date",
        NameType.STRING,
        'The day on the tenant\'s calendar, such as "2026-05-20".',
        lambda s: s.local.date().isoformat(),
    ),
    Name(
        "local.weekday",
        NameType.STRING,
        'The weekday there, "MONDAY" to "SUNDAY".',
        lambda s: WEEKDAYS[s.local.weekday()],
    ),
    Name("local.month", NameType.INT, "The month there, 1 to 12.", lambda s: s.local.month),
    Name("local.day", NameType.INT, "The day of the month there.", lambda s: s.local.day),
    Name("local.hour", NameType.INT, "The hour there, 0 to 23.", lambda s: s.local.hour),
    Name("local.minute", NameType.INT, "The minute there.", lambda s: s.local.minute),
    Name(
        "member.id",
        NameType.STRING,
        'The member\'s id here; "" for a guest.',
        lambda s: str(s.view.member.id) if s.view.member else "",
        of_one=True,
    ),
    Name(
        "member.external_id",
        NameType.STRING,
        'The tenant\'s own id of the member; "" for a guest.',
        lambda s: s.view.member.external_id if s.view.member else "",
        of_one=True,
    ),
    Name(
        "member.status",
        NameType.STRING,
        '"ACTIVE", "CLOSED", …; "" for a guest.',
        lambda s: s.view.member.status if s.view.member else "",
    ),
    Name(
        "member.attributes",
        NameType.MAP,
        "The member's attributes at the time of recording.",
        lambda s: dict(s.view.member.attributes) if s.view.member else {},
    ),
    Name(
        "member.enrolled_days",
        NameType.INT,
        "Whole local days since the member enrolled: 0 on that day; -1 for a guest.",
        enrolled_days,
    ),
    Name(
        "member.days_to_birthday",
        NameType.INT,
        "Local days until the member's next birthday, 0 on the day; -1 where the attribute "
        '`birthday` ("MM-DD" or "YYYY-MM-DD") is not there. Who was born on 29 February has it '
        "on 1 March in other years.",
        days_to_birthday,
    ),
    Name(
        "member.days_since_birthday",
        NameType.INT,
        "Local days since the member's last birthday, 0 on the day; -1 where it is unknown.",
        days_since_birthday,
    ),
    Name(
        "member.birthday_month",
        NameType.INT,
        "The month of the member's birthday, 1 to 12; -1 where it is unknown.",
        birthday_month,
    ),
    Name(
        "member.tier",
        NameType.STRING,
        'The member\'s tier by the first program, in their order, that gives one; "" without.',
        tier,
        traits=("*.tier",),
    ),
    Name(
        "member.tiers",
        NameType.STRINGS,
        'That tier and all below it: `"gold" in member.tiers` is true of gold and of what is '
        "above it.",
        tiers,
        traits=("*.tiers",),
    ),
    Name(
        "member.traits",
        NameType.MAP,
        "What programs let others know of the member, by full name, such as "
        'member.traits["vip.tier"].',
        traits,
        traits=None,
    ),
    Name(
        "choice",
        NameType.MAP,
        "What the member chose in this program, by the choice's id.",
        choice,
        traits=(".choices",),
    ),
)
