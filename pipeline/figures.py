"""Numbers as people read them."""


def count(number: int) -> str:
    """Thousands apart.

    >>> count(1234567)
    '1,234,567'
    """
    return f"{number:,}"


def counted(number: int, thing: str) -> str:
    """A number of things, whose name takes an s for more than one.

    >>> counted(1, "text"), counted(0, "row"), counted(1234, "AUTO row")
    ('1 text', '0 rows', '1,234 AUTO rows')
    """
    return f"{count(number)} {thing}{'' if number == 1 else 's'}"


def percent(share: float, places: int = 1) -> str:
    """Round, but never up to all nor down to none.

    >>> percent(0.4321), percent(0.99996), percent(1.0), percent(0.00001)
    ('43.2%', '>99.9%', '100.0%', '<0.1%')
    """
    least = 10**-places / 100
    if 0 < share < least:
        return f"<{least:.{places}%}"
    if 1 - least < share < 1:
        return f">{1 - least:.{places}%}"
    return f"{share:.{places}%}"
