"""What a score is of: the question that it answers, in words, and how its number is read.

Two ideas: a reader asks eight questions of samples (can they stand in for real data, are they close,
good and complete, varied, in the right classes, right as text or as a table, new, and safe to
share), and every measure answers one; whatever a page says of a measure is said by its declaration.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from pushforward.core.choice import Choice

Better = Literal["lower", "higher"]
Role = Literal["merit", "check", "truth"]


@dataclass(frozen=True)
class Aspect:
    """One question that a reader asks of samples.

    Attributes:
        name: what tables are headed by.
        asks: the question.
        two_sided: whether a miss on either side of real data is a miss; else only the worse side
            is.
    """

    name: str
    asks: str = field(default="", compare=False)
    two_sided: bool = field(default=False, compare=False)


INSTEAD = Aspect("in place of real data", "Can samples stand in for real data?")
LIKELIHOOD = Aspect("likelihood", "How well are unseen data predicted?")
OTHER = Aspect("other measures", "What else was measured?")
DISTANCE = Aspect("distance to the data", "Are samples close to real data?")
FIDELITY = Aspect("fidelity and coverage", "Are samples good, and is nothing left out?")
DIVERSITY = Aspect("diversity", "Are samples varied as real data are?", two_sided=True)
CLASSES = Aspect("classes", "Are samples of the right classes?")
TEXT = Aspect("text", "Are samples right as text?")
TABLE = Aspect("columns and rules", "Are samples right as a table?")
MEMORISATION = Aspect("memorisation", "Are samples new?")
PRIVACY = Aspect("privacy", "Are samples safe to share?")

# in the order in which cards and pages show them
ASPECTS = (
    INSTEAD,
    LIKELIHOOD,
    OTHER,
    TABLE,
    DISTANCE,
    FIDELITY,
    DIVERSITY,
    CLASSES,
    TEXT,
    MEMORISATION,
    PRIVACY,
)


@dataclass(frozen=True)
class Measure(Choice):
    """What one score is of. Two are equal if they have one name, direction, aspect and role,
    whatever the words.

    Attributes:
        name: of the measure; scores are called by it.
        says: what it asks, in a sentence that needs no paper; empty if nobody said.
        title: what a heading calls it, its name if empty.
        counts: what its number counts, where the score has no unit.
        aspect: the question that it answers.
        role: `merit` says how good samples are; `check` has a null and no merit, since more
            distance to the training data is not better; `truth` is a distance to a law that is
            known, which no other sample measure is held against.
        better: direction.
        at_most: the end of its range, to which intervals of means over training runs are cut; None
            leaves them.

    Example:
        >>> Measure("coverage", "How many real examples have a sample close by.", better="higher").role
        'merit'
    """

    says: str = field(default="", compare=False)
    title: str = field(default="", compare=False)
    counts: str = field(default="", compare=False)
    aspect: Aspect = OTHER
    role: Role = "merit"
    better: Better = "lower"
    at_most: float | None = field(default=None, compare=False)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary, which is all that a page needs of a measure whose package
        is gone."""
        record = {
            key: getattr(self, key)
            for key in ("name", "says", "title", "counts", "role", "better", "at_most")
        }
        return {**record, "aspect": self.aspect.name, "two_sided": self.aspect.two_sided}

    @staticmethod
    def from_json(record: dict[str, Any]) -> Measure:
        """Rebuild a measure from `to_json`."""
        fields = {**record, "aspect": aspect_called(record["aspect"], record["two_sided"])}
        return Measure(**{key: entry for key, entry in fields.items() if key != "two_sided"})


def aspect_called(name: str, two_sided: bool = False) -> Aspect:
    """Return the aspect of a name, a new one if it is none of those here.

    Example:
        >>> aspect_called("privacy") is PRIVACY, aspect_called("taste").two_sided
        (True, False)
    """
    return next(
        (aspect for aspect in ASPECTS if aspect.name == name), Aspect(name, two_sided=two_sided)
    )


def in_order(aspects: Iterable[Aspect]) -> tuple[Aspect, ...]:
    """Return each aspect once, in the order in which pages show them; those of other packages last.

    Example:
        >>> [aspect.name for aspect in in_order([Aspect("taste"), PRIVACY, DISTANCE, PRIVACY])]
        ['distance to the data', 'privacy', 'taste']
    """
    found = tuple(dict.fromkeys(aspects))
    return (
        *(aspect for aspect in ASPECTS if aspect in found),
        *(aspect for aspect in found if aspect not in ASPECTS),
    )
