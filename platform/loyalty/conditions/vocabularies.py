"""The vocabularies: what conditions about a purchase, an activity or a member may read."""

from loyalty.conditions import activity, purchase
from loyalty.conditions.common import COMMON
from loyalty.conditions.name import Vocabulary

PURCHASE = Vocabulary("a purchase", (*purchase.NAMES, *COMMON))
ACTIVITY = Vocabulary("an activity", (*activity.NAMES, *COMMON))
STANDING = Vocabulary("a member", COMMON)

VOCABULARIES = (PURCHASE, ACTIVITY, STANDING)
