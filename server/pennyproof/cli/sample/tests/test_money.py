import pytest

from bookshop import money


@pytest.mark.parametrize(
    ("text", "cents"),
    [("12.50", 1250), ("3", 300), ("-3", -300), ("0.5", 50), ("-0.05", -5), ("1,299.00", 129900), (" 7.25 ", 725)],
)
def test_parse(text, cents):
    assert money.parse(text) == cents


@pytest.mark.parametrize("text", ["", "1.234", "abc", "1.x", "."])
def test_parse_refuses_what_is_no_amount(text):
    with pytest.raises(ValueError, match="not an amount"):
        money.parse(text)


@pytest.mark.parametrize(
    ("cents", "text"), [(0, "0.00"), (5, "0.05"), (-250, "-2.50"), (129900, "1,299.00")]
)
def test_show(cents, text):
    assert money.show(cents) == text


def test_percent_rounds_half_a_cent_up():
    assert money.percent(1050, 7) == 74
    assert money.percent(50, 1) == 1
    assert money.percent(1000, 0) == 0


def test_share_puts_the_larger_parts_first():
    assert money.share(1000, 3) == [334, 333, 333]
    assert money.share(1001, 3) == [334, 334, 333]


def test_share_adds_up():
    for parts in range(1, 8):
        assert sum(money.share(999, parts)) == 999


def test_share_needs_a_part():
    with pytest.raises(ValueError, match="one part"):
        money.share(1000, 0)
