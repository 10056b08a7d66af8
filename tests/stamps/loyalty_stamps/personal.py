"""What the punch card's tables hold about a member."""

from loyalty.plugin import PersonalRows

ROWS = (
    PersonalRows(table="stamps_card"),
    PersonalRows(
        table="stamps_given",
        kept={"scope": "what it was given for", "key": "what it was given for"},
    ),
    PersonalRows(table="stamps_buddy", rows="(member_id = $1 or buddy_id = $1)"),
)
