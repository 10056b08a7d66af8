"""What keeps the platform from starting, told so that whoever reads it can mend it."""


class Problem(Exception):
    """Something in the environment is in the way.

    `what` says what was found, `mend` what to do about it; both are whole sentences without the
    full stop.
    """

    def __init__(self, what: str, mend: str) -> None:
        self.what = what
        self.mend = mend
        super().__init__(f"{self.told} {mend}.")

    @property
    def told(self) -> str:
        """`what` as a sentence; one that ends by asking has its stop."""
        return self.what if self.what.endswith("?") else f"{self.what}."
