from loyalty.cache.connection import Breaker


class Seconds:
    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def opened() -> tuple[Breaker, Seconds]:
    seconds = Seconds()
    breaker = Breaker(seconds)
    for _ in range(5):
        assert breaker.admits()
        breaker.failed()
    return breaker, seconds


def test_five_failures_in_a_row_open_it_for_a_second() -> None:
    breaker, seconds = opened()
    assert breaker.is_open
    seconds.at += 0.999
    assert not breaker.admits()
    seconds.at += 0.001
    assert breaker.admits()


def test_an_answer_in_between_starts_the_count_anew() -> None:
    breaker = Breaker(Seconds())
    for _ in range(10):
        for _ in range(4):
            breaker.failed()
        breaker.succeeded()
    assert not breaker.is_open


def test_one_probe_at_a_time_decides() -> None:
    breaker, seconds = opened()
    seconds.at += 1
    assert [breaker.admits() for _ in range(3)] == [True, False, False]
    breaker.failed()
    assert not breaker.admits()
    seconds.at += 1
    assert breaker.admits()
    breaker.succeeded()
    assert [breaker.admits() for _ in range(3)] == [True, True, True]


def test_a_probe_that_is_cancelled_leaves_the_next_one_free() -> None:
    breaker, seconds = opened()
    seconds.at += 1
    assert breaker.admits()
    breaker.abandoned()
    assert breaker.admits()
