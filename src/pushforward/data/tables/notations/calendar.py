"""The order of day, month and year in a column of dates.

One idea: `03/11/2024` alone means two days, so a column is asked: what is no date in one order,
what is sorted in one order only.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise

ORDERS = ("dmy", "mdy", "ymd")
ELSEWHERE = "another column of the file is so"
SAME = "day and month are equal in every row so"
POINTS = "points stand between the numbers so"


def full_year(year: int, digits: int) -> int:
    """Return a year of four digits; two digits mean 1969 to 2068.

    Example:
        >>> full_year(68, 2), full_year(69, 2), full_year(1969, 4)
        (2068, 1969, 1969)
    """
    return year if digits > 2 else year + (1900 if year >= 69 else 2000)


def day_in(order: str, three: tuple[str, str, str]) -> date | None:
    """Return the day that three numbers mean in an order, None if there is no such day.

    Example:
        >>> day_in("dmy", ("3", "11", "2024")), day_in("mdy", ("31", "12", "24"))
        (datetime.date(2024, 11, 3), None)
    """
    named = dict(zip(order, three, strict=True))
    if len(named["d"]) > 2 or len(named["m"]) > 2:
        return None
    try:
        return date(full_year(int(named["y"]), len(named["y"])), int(named["m"]), int(named["d"]))
    except ValueError:
        return None


def order_of(
    threes: Sequence[tuple[str, str, str]], separator: str, default: str = "", noon: bool = False
) -> tuple[str, str]:
    """Return the order that most of three numbers agree with, and why; the reason is empty where
    nothing decides.

    Args:
        threes: in the order of the file's rows.
        separator: what stands between the numbers.
        default: the order found elsewhere in the file.
        noon: True if times are written with AM and PM, as they are where months come first.

    Example:
        >>> order_of([("03", "11", "2024"), ("25", "11", "2024")], "/")
        ('dmy', 'the first number exceeds 12 in 25/11/2024 so')
    """
    long = len(threes[0][2]) > 2
    orders = ORDERS[:2] if long else ORDERS
    days = {order: [day_in(order, three) for three in threes] for order in orders}
    valid = {order: sum(day is not None for day in days[order]) for order in orders}
    best = max(valid.values())
    left = [order for order in orders if valid[order] == best]
    if "ymd" in left and len(left) > 1:
        # two digits are a year at the end far more often
        left.remove("ymd")
    if len(left) == 1:
        return left[0], _telling(left[0], threes, days, separator)
    rising = [order for order in left if _sorted(days[order])]
    if len(rising) == 1:
        return rising[0], "the rows are in order of time so"
    if default in left:
        return default, ELSEWHERE
    if all(days[order] == days[left[0]] for order in left):
        return left[0], SAME
    if separator == "." and "dmy" in left:
        # nowhere are months written before days with points between
        return "dmy", POINTS
    return ("mdy" if noon or separator == "/" else "dmy"), ""


def _telling(
    order: str,
    threes: Sequence[tuple[str, str, str]],
    days: dict[str, list[date | None]],
    separator: str,
) -> str:
    """Return which number of which date says that its rows are in one order: one that is no
    month."""
    others = [other for other in days if other != order]
    telling = [
        place
        for place, day in enumerate(days[order])
        if day and not all(days[other][place] for other in others)
    ]
    if not telling:
        return "only so all of them are dates, so"
    three = threes[telling[0]]
    exceeds = [
        word
        for word, cell in zip(("first", "second"), three[:2], strict=True)
        if 12 < int(cell) <= 31
    ]
    place = {"dmy": "first", "mdy": "second"}.get(order, "")
    shown = separator.join(three)
    return (
        f"the {place} number exceeds 12 in {shown} so"
        if place in exceeds
        else f"{shown} is no date otherwise, so"
    )


def _sorted(days: Sequence[date | None]) -> bool:
    known = [day for day in days if day is not None]
    pairs = list(pairwise(known))
    if len(set(known)) < 4:
        return False
    return all(a <= b for a, b in pairs) or all(a >= b for a, b in pairs)
