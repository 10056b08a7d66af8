"""Names that are about an activity."""

from loyalty.conditions.name import Name, NameType

NAMES = (
    Name("activity.type", NameType.STRING, "The tenant's type of activity.", lambda s: s.fact.type),
    Name(
        "activity.source", NameType.STRING, "The system that recorded it.", lambda s: s.fact.source
    ),
    Name(
        "activity.external_id",
        NameType.STRING,
        "Its id there.",
        lambda s: s.fact.external_id,
        of_one=True,
    ),
    Name(
        "activity.attributes",
        NameType.MAP,
        "Attributes of the activity.",
        lambda s: s.fact.attributes,
    ),
)
