"""What a batch meets where it was loaded too little to decide."""

from loyalty.owners import Holder


class NeedLots(Exception):
    """More lots decide than were loaded: the batch runs again with all lots of this account."""

    def __init__(self, owner: Holder, unit: str) -> None:
        super().__init__(f"all lots of {owner} in {unit}")
        self.owner = owner
        self.unit = unit
