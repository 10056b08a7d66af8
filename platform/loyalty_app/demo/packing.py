"""Requests of a replay: which baskets go together, and which may be under way at the same time.

Order matters only within a household, so baskets are dealt to lanes by household: the requests of
one lane go one after the other, those of different lanes side by side.
"""

from collections.abc import Iterable, Iterator, Sequence

from loyalty_app.demo.baskets import Basket

LANES = 2
ITEMS_MAX = 500
LINES_MAX = 8_000  # the platform takes 10,000, and 2 MB: a line is at most 200 bytes


def deal(baskets: Iterable[Basket], lanes: int = LANES) -> list[list[Basket]]:
    """Every basket to the lane of its household, in the given order."""
    dealt: list[list[Basket]] = [[] for _ in range(lanes)]
    for basket in baskets:
        dealt[int(basket.household) % lanes].append(basket)
    return [lane for lane in dealt if lane]


def packed(baskets: Sequence[Basket]) -> Iterator[Sequence[Basket]]:
    """Runs of baskets that fit into one request each."""
    start = lines = 0
    for index, basket in enumerate(baskets):
        if index - start == ITEMS_MAX or (index > start and lines + basket.lines > LINES_MAX):
            yield baskets[start:index]
            start, lines = index, 0
        lines += basket.lines
    if start < len(baskets):
        yield baskets[start:]
