"""Where things stand for a rule: what was loaded, and what this program wrote since."""

from bisect import insort
from dataclasses import replace
from fractions import Fraction

from loyalty.view import View
from loyalty_referrals.needs import LADDER, REFERRAL
from loyalty_referrals.rows import Ladder, Referral, SideRow, StepRow


def referral_of(view: View) -> Referral | None:
    """The referral of the view's member as a friend; a later code replaces one's own."""
    written = [row for row in view.written if isinstance(row, Referral)]
    found: Referral | None = written[-1] if written else view.needs.get(REFERRAL)
    return found


def ladder_of(view: View) -> Ladder:
    """Where the view's member stands as a referrer."""
    ladder: Ladder = view.needs.get(LADDER) or Ladder()
    steps, friends, windows = dict(ladder.steps), ladder.friends, list(ladder.windows)
    for row in view.written:
        if isinstance(row, SideRow):
            friends += row.change
            if row.change > 0:
                insort(windows, row.pays_at)
            elif row.change < 0 and row.pays_at in windows:
                windows.remove(row.pays_at)
        elif isinstance(row, StepRow):
            steps[row.step] = row
    return replace(ladder, friends=friends, steps=steps, windows=tuple(windows))


def is_lost(part: str, goods: int, least: int) -> bool:
    """Whether too little is left where such a part (n/d) of the products came back in all."""
    back = Fraction(part)
    return back >= 1 or (goods > 0 and goods * (1 - back) < max(least, 1))
