"""What a tenant sets for a punch card."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Count = Annotated[int, Field(strict=True, ge=1, le=1_000)]
Amount = Annotated[int, Field(strict=True, ge=1, le=10**12)]


class StampsConfig(BaseModel):
    """A punch card: stamps for what is bought of a category, a reward for a full card."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    unit: Annotated[str, Field(min_length=1, max_length=64)]
    """Code of the unit that a full card is paid in."""
    needed: Count
    """Stamps that fill a card."""
    reward: Amount
    """What a full card gives, in the unit's minor units."""
    category: Annotated[str, Field(min_length=1, max_length=200)]
    """Category path: each line bought under it is a stamp."""
    visit_stamps: Annotated[int, Field(strict=True, ge=0, le=1_000)] = 0
    """Stamps for an activity of the type `visit`."""
    card_days: Count | None = None
    """Days that a card lives from its first stamp on; null: for ever."""
    cards_per_month: Count | None = None
    """Cards that a member can fill in a month; null: any number."""
    budget_per_month: Amount | None = None
    """What the program pays for full cards in a month, over all members; null: no limit."""
    first_card: Annotated[int, Field(strict=True, ge=0)] = 0
    """A further reward for the first card that a member fills."""
    extra_percent: Annotated[int, Field(strict=True, ge=0, le=1_000)] = 0
    """Of what other programs give for a stamped purchase in the unit, this much more."""
    buddy_stamps: Annotated[int, Field(strict=True, ge=0, le=1_000)] = 0
    """Stamps for the member's buddy with every stamped purchase."""
    thanks_days: Count | None = None
    """Days after a stamped purchase until one more stamp follows; null: none follows."""
    lucky_one_in: Annotated[int, Field(strict=True, ge=1)] | None = None
    """One stamped purchase in so many brings one stamp more; null: none does."""
