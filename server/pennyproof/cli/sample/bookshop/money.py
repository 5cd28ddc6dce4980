"""Amounts of money, kept in whole cents."""


def parse(text: str) -> int:
    """Read an amount such as ``12.50``, ``-3`` or ``1,299.00``."""
    amount = text.strip().replace(",", "")
    whole, _, fraction = amount.lstrip("+-").partition(".")
    if not whole.isdigit() or len(fraction) > 2 or not (fraction or "0").isdigit():
        raise ValueError(f"not an amount: {text!r}")
    cents = int(whole) * 100 + int(fraction.ljust(2, "0"))
    return -cents if amount.startswith("-") else cents


def show(cents: int) -> str:
    """Write an amount with two decimals and thousands separated."""
    sign = "-" if cents < 0 else ""
    whole, fraction = divmod(abs(cents), 100)
    return f"{sign}{whole:,}.{fraction:02d}"


def percent(cents: int, rate: int) -> int:
    """``rate`` percent of an amount, half a cent rounded up."""
    return (cents * rate + 50) // 100


def share(cents: int, parts: int) -> list[int]:
    """Divide an amount into parts that add up to it and differ by a cent at most, larger ones first."""
    if parts < 1:
        raise ValueError("an amount is shared into one part or more")
    each, left = divmod(cents, parts)
    return [each + 1 if index <= left else each for index in range(parts)]
