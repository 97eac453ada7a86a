"""The schedule side of the slot balance: what a line's spans cover."""

from gateway.acquisition.balance import _Account
from gateway.acquisition.schedule import SlotGrid
from gateway.domain.time import US_PER_S

HISTORY, LIVE = SlotGrid(300 * US_PER_S, 0), SlotGrid(5 * US_PER_S, 0)


def test_a_range_closed_by_the_second_start_belongs_to_the_schedule() -> None:
    """A first live run ended before the time between history and its first message was closed; the next start does."""
    account = _Account()
    assert account.extend(HISTORY, 6_000 * US_PER_S, 6_300 * US_PER_S)
    assert account.extend(LIVE, 6_915 * US_PER_S, 6_920 * US_PER_S)
    assert account.extend(LIVE, 6_405 * US_PER_S, 6_915 * US_PER_S)
    assert account.extend(LIVE, 6_920 * US_PER_S, 6_925 * US_PER_S)
    assert account.spans == [
        (HISTORY, 6_000 * US_PER_S, 6_300 * US_PER_S),
        (LIVE, 6_405 * US_PER_S, 6_925 * US_PER_S),
    ]
    assert not account.extend(LIVE, 5_000 * US_PER_S, 5_005 * US_PER_S)
