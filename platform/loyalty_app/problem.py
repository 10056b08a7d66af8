"""What keeps the platform from starting, told so that whoever reads it can mend it."""


class Problem(Exception):
    """Something in the environment is in the way.

    `what` says what was found, `mend` what to do about it; both are whole sentences without the
    full stop.
    """

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(f"{what}. {mend}.")
        self.what = what
        self.mend = mend
