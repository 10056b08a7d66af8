"""The vocabularies: what conditions about a purchase, an activity or a member may read."""

from loyalty.conditions import activity, purchase, standing
from loyalty.conditions.name import Vocabulary

PURCHASE = Vocabulary("a purchase", (*purchase.NAMES, *standing.NAMES))
ACTIVITY = Vocabulary("an activity", (*activity.NAMES, *standing.NAMES))
STANDING = Vocabulary("a member", standing.NAMES)

VOCABULARIES = (PURCHASE, ACTIVITY, STANDING)
