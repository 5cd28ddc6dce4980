import pytest

from bookshop.stock import OutOfStock, Stock, UnknownTitle


@pytest.fixture
def stock():
    stock = Stock()
    stock.receive("111", "The Sea, the Sea", 5)
    stock.receive("222", "Sea of Poppies", 3)
    stock.receive("333", "Middlemarch", 1)
    return stock


def test_deliveries_add_up(stock):
    stock.receive("111", "The Sea, the Sea", 4)
    assert stock.shelf("111").on_hand == 9


def test_a_delivery_is_not_empty(stock):
    with pytest.raises(ValueError, match="one copy"):
        stock.receive("111", "The Sea, the Sea", 0)


def test_unknown_title(stock):
    with pytest.raises(UnknownTitle):
        stock.reserve("999", 1)


def test_reserve_keeps_copies(stock):
    stock.reserve("111", 2)
    assert stock.shelf("111").available == 3


def test_the_last_copy_can_be_reserved(stock):
    stock.reserve("333", 1)
    assert stock.shelf("333").available == 0


def test_a_copy_is_promised_once_only(stock):
    stock.reserve("222", 2)
    with pytest.raises(OutOfStock, match="1 of Sea of Poppies left, 2 wanted"):
        stock.reserve("222", 2)


def test_released_copies_are_free_again(stock):
    stock.reserve("111", 5)
    stock.release("111", 3)
    assert stock.shelf("111").available == 3


def test_ship(stock):
    stock.reserve("111", 2)
    stock.ship("111", 2)
    assert (stock.shelf("111").on_hand, stock.shelf("111").reserved) == (3, 0)


def test_only_reserved_copies_are_shipped(stock):
    with pytest.raises(ValueError, match="only 0"):
        stock.ship("111", 1)


def test_to_reorder(stock):
    stock.reserve("222", 1)
    assert stock.to_reorder() == ["Middlemarch", "Sea of Poppies"]


def test_search(stock):
    assert stock.search("SEA") == ["Sea of Poppies", "The Sea, the Sea"]
    assert stock.search("sea poppies") == ["Sea of Poppies"]
