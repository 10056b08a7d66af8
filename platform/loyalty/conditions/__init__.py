"""Conditions that tenants write: CEL over declared names, the same wherever rules use them."""

from loyalty.conditions.compared import compared as compared
from loyalty.conditions.compiling import compiled as compiled
from loyalty.conditions.compiling import together as together
from loyalty.conditions.condition import Condition as Condition
from loyalty.conditions.drafts import drafts as drafts
from loyalty.conditions.fault import ConditionFault as ConditionFault
from loyalty.conditions.gathering import gathering as gathering
from loyalty.conditions.name import Name as Name
from loyalty.conditions.name import NameType as NameType
from loyalty.conditions.name import Vocabulary as Vocabulary
from loyalty.conditions.together import Together as Together
from loyalty.conditions.together import is_always_told as is_always_told
from loyalty.conditions.together import parcels as parcels
from loyalty.conditions.values import Values as Values
from loyalty.conditions.values import activity_values as activity_values
from loyalty.conditions.values import purchase_values as purchase_values
from loyalty.conditions.values import standing_values as standing_values
from loyalty.conditions.verdict import Verdict as Verdict
from loyalty.conditions.vocabularies import ACTIVITY as ACTIVITY
from loyalty.conditions.vocabularies import PURCHASE as PURCHASE
from loyalty.conditions.vocabularies import STANDING as STANDING
from loyalty.conditions.vocabularies import VOCABULARIES as VOCABULARIES
