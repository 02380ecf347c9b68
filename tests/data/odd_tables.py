"""Tables as strangers bring them, one odd thing a column, written as text."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

ROWS = 120
_START = date(2023, 1, 1)


def _file(head: Sequence[str], rows: Sequence[Sequence[object]], mark: str = ",") -> str:
    return "\n".join(mark.join(map(str, row)) for row in [head, *rows]) + "\n"


def _german(amount: float) -> str:
    plain = f"{abs(amount):,.2f}".translate(str.maketrans(",.", ".,"))
    return ("-" if amount < 0 else "") + plain


def bank(dice: random.Random) -> str:
    """Return statements with days first, decimal commas and a constant currency."""
    days = [_START + timedelta(days=row) for row in range(ROWS)]
    shops = ["REWE", "Stadtwerke", "Miete", "Gehalt"]
    rows = [
        (f"{day:%d.%m.%Y}", dice.choice(shops), f"{_german(dice.gauss(0, 900))} €", "EUR")
        for day in days
    ]
    return _file(["Buchungstag", "Empfänger", "Betrag", "Währung"], rows, ";")


def bank_us(dice: random.Random) -> str:
    """Return statements with months first, brackets for what is owed, and percentages."""
    rows = []
    for row in range(ROWS):
        amount = dice.gauss(0, 1500)
        cell = f'"({-amount:,.2f})"' if amount < 0 else f'"{amount:,.2f}"'
        day = _START + timedelta(days=2 * row)
        rows.append(
            (f"{day:%m/%d/%Y}", dice.choice(["Rent", "Food"]), cell, f"{dice.randint(1, 30)}%")
        )
    return _file(["Date", "Description", "Amount", "Rate"], rows)


def sensors(dice: random.Random) -> str:
    """Return measurements in one offset from UTC, with directions around north."""
    zone = timezone(timedelta(hours=2))
    rows = [
        (
            datetime(2024, 3, 1, tzinfo=zone) + timedelta(minutes=10 * row),
            f"{dice.gauss(12, 4):.1f}",
            round(dice.gauss(350, 40)) % 360,
            row // 2 % 24,
        )
        for row in range(ROWS)
    ]
    plain = [(when.isoformat(), *rest) for when, *rest in rows]
    return _file(["time", "temp", "wind_direction", "hour"], plain)


def zones(dice: random.Random) -> str:
    """Return moments that were noted in three offsets."""
    aways = [timezone(timedelta(hours=hours)) for hours in (1, 2, -5)]
    first = datetime(2024, 3, 1, tzinfo=aways[0])
    rows = [
        (
            (first + timedelta(hours=7 * row)).astimezone(dice.choice(aways)).isoformat(),
            dice.gauss(0, 1),
        )
        for row in range(ROWS)
    ]
    return _file(["at", "v"], rows)


def survey(dice: random.Random) -> str:
    """Return dates of three precisions, sizes, agreement, bands of income."""

    def born() -> str:
        day = date(dice.randint(1940, 2005), dice.randint(1, 12), dice.randint(1, 28))
        return dice.choice([f"{day:%Y}", f"{day:%Y-%m}", f"{day:%Y-%m-%d}"])

    sizes, bands = ["XS", "S", "M", "L", "XL"], ["<10k", "10k-20k", "20k-50k", "50k+"]
    said = ["strongly disagree", "disagree", "neutral", "agree", "strongly agree"]
    rows = [
        (born(), born()[:7], dice.choice(sizes), dice.choice(said), dice.choice(bands))
        for _ in range(ROWS)
    ]
    return _file(["born", "since", "size", "agree", "income_band"], rows)


def durations(dice: random.Random) -> str:
    """Return lengths of time in five spellings."""

    def words(minutes: int) -> str:
        hours, rest = divmod(minutes, 60)
        return (f"{hours}h " if hours else "") + f"{rest}m"

    rows = [
        (
            f"{dice.randint(0, 3)}:{dice.randint(0, 59):02d}:{dice.randint(0, 59):02d}",
            words(dice.randint(1, 333)),
            f"PT{dice.randint(0, 5)}H{dice.randint(1, 59)}M",
            f"{dice.randint(1, 90)} min",
            f"{dice.randint(2, 59)}:{dice.randint(0, 59):02d}.{dice.randint(0, 99):02d}",
        )
        for _ in range(ROWS)
    ]
    return _file(["elapsed", "work", "iso", "wait", "race"], rows)


def _sexagesimal(degrees: float, letters: str) -> str:
    seconds = round(abs(degrees) * 3600)
    whole, rest = divmod(seconds, 3600)
    return f'"{whole}°{rest // 60:02d}\'{rest % 60:02d}""{letters[degrees < 0]}"'


def places(dice: random.Random) -> str:
    """Return places on either side of the date line, in degrees and in minutes and seconds."""
    rows = []
    for _ in range(ROWS):
        north, east = dice.uniform(-89, 89), (dice.gauss(178, 4) + 180) % 360 - 180
        pair = (f"{north:.5f}", f"{east:.5f}")
        rows.append((*pair, _sexagesimal(north, "NS"), _sexagesimal(east, "EW"), dice.choice("ab")))
    return _file(["lat", "lon", "lat_dms", "lon_dms", "site"], rows)


def prices(dice: random.Random) -> str:
    """Return keys, prices, discounts and weights of a German shop."""
    rows = [
        (
            f"A-{row:04d}",
            f"{_german(dice.uniform(1, 4000))} €",
            f"{dice.randint(1, 60)} %",
            f"{_german(dice.uniform(0.1, 20))} kg",
        )
        for row in range(ROWS)
    ]
    return _file(["Artikel", "Preis", "Rabatt", "Gewicht"], rows, ";")


def clock(dice: random.Random) -> str:
    """Return numbers that begin again, and some that only look so."""
    rows = [
        (
            row % 24,
            f"{dice.uniform(0, 360):.1f}",
            dice.randint(1, 12),
            dice.choice(["Mon", "Tue", "Wed"]),
            f"{dice.uniform(-math.pi, math.pi):.4f}",
        )
        for row in range(ROWS)
    ]
    return _file(["hour_of_day", "bearing", "month", "weekday", "heading"], rows)


def gaps(dice: random.Random) -> str:
    """Return words and numbers with marks for what is missing, booleans, and what is left out."""
    rows = [
        (
            dice.choice(["1", "2", "-", "3"]),
            dice.choice(["DE", "NA", "FR"]),
            dice.choice(["TRUE", "FALSE"]),
            "",
            dice.choice(["007", "012", "999"]),
            dice.choice(["1E3", "2E05", "1E10"]),
        )
        for _ in range(ROWS)
    ]
    return _file(["n", "land", "ok", "nothing", "code", "serial"], rows)


TABLES: dict[str, Callable[[random.Random], str]] = {
    one.__name__: one
    for one in (
        *(bank, bank_us, sensors, zones, survey, durations),
        *(places, prices, clock, gaps),
    )
}


def written(name: str, folder: Path) -> Path:
    """Write a table and return its path."""
    path = folder / f"{name}.csv"
    path.write_text(TABLES[name](random.Random(5)), encoding="utf-8")
    return path
