"""Training on all rows, after everything that could be chosen was chosen.

One idea: what a model was trained on cannot tell how good it is, so that a dataset whose rows are all
trained on says so, and whoever wants to measure on held-out rows is refused.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from pushforward.core.errors import BadInput
from pushforward.core.given import Examples, Given
from pushforward.data.dataset import Dataset, fingerprint_of

ALL = "all"
SUCH = "three shares such as 90/5/5, or all"


def shares_of(words: str) -> tuple[float, float, float] | None:
    """Return the shares of training, validation and test rows; None for nothing and for `all`.

    Raises:
        BadInput: other words, shares that do not sum to 100, or a part without any.

    Example:
        >>> shares_of("90/5/5"), shares_of("all")
        ((0.9, 0.05, 0.05), None)
    """
    if words in ("", ALL):
        return None
    try:
        parts = [float(word) for word in words.split("/")]
    except ValueError:
        parts = []
    if len(parts) != 3 or not all(0.0 < part < 100.0 for part in parts):
        raise BadInput(f"data.split={words}", SUCH, "every part needs some rows")
    if abs(sum(parts) - 100.0) > 1e-6:
        raise BadInput(
            f"data.split={words}, which sums to {sum(parts):g}", "shares that sum to 100"
        )
    train, validation, test = (part / 100.0 for part in parts)
    return train, validation, test


def trained_on_all(dataset: Dataset) -> Dataset:
    """Return a dataset whose training rows are all rows.

    Its validation rows, which training watches, are among them, and so are its test rows, which
    nobody may measure on.

    Raises:
        BadInput: text, or data that are drawn anew.
    """
    if dataset.streams or dataset.density is not None:
        raise BadInput(
            f"data.split=all of {dataset.name}, which is {dataset.space.kind}",
            "rows or pictures of a file",
            "leave it out",
        )
    parts = [dataset.train, dataset.validation, dataset.test]
    whole = joined(parts)
    said = (
        f"all {len(whole):,} examples are trained on, as asked: nothing is held out, and what training "
        "watches was trained on too"
    )
    return replace(
        dataset,
        train=whole,
        final=True,
        notes=(*dataset.notes, said),
        fingerprint=fingerprint_of([whole], dataset.classes),
    )


def joined(parts: list[Examples]) -> Examples:
    """Return several sets of examples as one.

    Example:
        >>> one, other = (Examples(torch.full((n, 2), float(n))) for n in (1, 2))
        >>> joined([one, other]).x[:, 0].tolist()
        [1.0, 2.0, 2.0]
    """
    first = parts[0]
    cases = None if first.cases is None else torch.cat([part.cases for part in parts])  # type: ignore[misc]
    sizes = None if first.sizes is None else torch.cat([part.sizes for part in parts])  # type: ignore[misc]
    return Examples(torch.cat([part.x for part in parts]), _given(parts), sizes, cases)


def _given(parts: list[Examples]) -> Given | None:
    every = [_tensors(part.given) for part in parts]
    if parts[0].given is None:
        return None
    places = iter(range(len(every[0])))

    def together(_: Tensor) -> Tensor:
        at = next(places)
        return torch.cat([tensors[at] for tensors in every])

    return parts[0].given.each(together)


def _tensors(given: Given | None) -> list[Tensor]:
    found: list[Tensor] = []

    def noted(tensor: Tensor) -> Tensor:
        found.append(tensor)
        return tensor

    if given is not None:
        given.each(noted)
    return found
