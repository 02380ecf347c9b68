"""The dictionary of images, and of points that no table named: they are tensors already.

One idea: nothing has to be turned into anything, but files have to be read into the same space, as
the training data were.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, final

import torch
from torch import Tensor

from pushforward.core.class_names import class_of
from pushforward.core.errors import BadInput
from pushforward.core.given import Examples, Given
from pushforward.core.space import Space
from pushforward.data.array_layout import ArrayLayout, Axes
from pushforward.data.encoding import Encoding
from pushforward.data.formats.format import Samples
from pushforward.data.images.intensities import Intensities
from pushforward.data.images.options import pictures_of


@final
@dataclass(frozen=True)
class IdentityEncoding(Encoding):
    """Examples are what people have.

    Attributes:
        examples: the space that they live in, None while nobody said it.
        classes: names that labels may have.
        images: how pictures were read, and others of the run are.
        array, asked: see `Encoding`.
        layout: of the file that the data came from, None where samples are laid out as usual.

    Example:
        >>> from pushforward.core.space import Points
        >>> known = IdentityEncoding().beside(Points(2), ("left", "right"), {})
        >>> known.read(([[0.0, 1.0]], ["left"])).given.label.tolist(), known.decode(torch.zeros(1, 2)).tolist()
        ([0], [[0.0, 0.0]])
    """

    examples: Space | None = None
    classes: tuple[str, ...] = ()
    images: Mapping[str, Any] = field(default_factory=dict, hash=False)
    array: str | None = None
    asked: str | None = None
    layout: ArrayLayout | None = None
    kind = ""

    @property
    def space(self) -> Space:
        """The space that was said."""
        if self.examples is None:
            raise BadInput("examples of no space", "data, or a run, that say theirs")
        return self.examples

    def beside(
        self, space: Space, classes: tuple[str, ...], settings: Mapping[str, Any]
    ) -> Encoding:
        """Return the one of this space, these classes and this reading."""
        array, asked = settings.get("context"), settings.get("kind")
        return IdentityEncoding(space, classes, pictures_of(settings), array, asked, self.layout)

    def with_axes(self, axes: Axes) -> Encoding:
        """Return the one of arrays whose channels lie there in their file."""
        if self.layout is None:
            return self
        return replace(self, layout=replace(self.layout, axes=axes))

    def with_scale(self, scale: Intensities | None) -> Encoding:
        """Return the one of images that were real intensities."""
        if scale is None:
            return self
        return replace(self, layout=replace(self.layout or ArrayLayout(), scale=scale))

    @property
    def scale(self) -> Intensities | None:
        """What levels are as real intensities, None where they were none."""
        return None if self.layout is None else self.layout.scale

    def decode(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        """Return examples as they are."""
        return x

    def samples(
        self, x: Tensor, space: Space, names: Sequence[str] | None, label: Tensor | None
    ) -> Samples:
        """Return samples with the classes that they were asked for beside them."""
        return Samples(x, space, names, None, self)

    def records(self, samples: Samples, given: str | None) -> Any:
        """Return samples as nested lists of numbers."""
        return samples.x.tolist()

    def lines(self, samples: Samples, given: str | None) -> Iterator[str]:
        """Yield an example a line."""
        for row in samples.x.tolist():
            yield ",".join(f"{value:.6g}" for value in row)

    def csv(self, shown: Any) -> str:
        """Return rows that came from no file as pandas writes them."""
        return shown.to_csv(index=False)

    def csv_file(self, shown: Any, delimiter: str | None = None) -> bytes:
        """Return rows that came from no file as pandas writes them."""
        return shown.to_csv(index=False, sep=delimiter or ",").encode()

    def read(self, source: Any, labelled: bool | None = None) -> Examples:
        """Return everything in a source as examples of the space, and what each is about."""
        return open_like(
            source,
            self.space,
            self.classes,
            labels=labelled,
            context=self.array,
            images=self.images,
            scale=self.scale,
        )

    def read_held(self, source: Any) -> Examples | Tensor:
        """Return what a program holds; labels that were not brought are summed out or refused by
        the verb, as for a tensor."""
        if isinstance(source, Tensor) and self.space.fits(source):
            return source
        images, scale = self.images, self.scale
        found = open_like(source, self.space, self.classes, labels=None, images=images, scale=scale)
        return found.x if found.given is None else found

    def read_foreign(
        self, source: Any, labelled: bool | None = None, skip_bad: bool = False
    ) -> tuple[Examples, dict[int, str]]:
        """Return what another program generated: whatever is of the space could be of these
        data."""
        named = str(source) if isinstance(source, Path) else source
        classes, scale = self.classes, self.scale
        found = open_like(
            named, self.space, classes, labels=labelled, skip_bad=skip_bad, scale=scale
        )
        return found, {}

    def parse_given(self, text: str, n: int) -> Given:
        """Return the class that a word names, the same for n examples."""
        return Given(torch.full((n,), class_of(text, self.classes), dtype=torch.long))

    def to_json(self) -> dict[str, Any]:
        """Return the layout of its file: whatever else it knows stands beside it with the run."""
        return {} if self.layout is None else {"kind": "arrays", "layout": self.layout.to_json()}

    def meaning(self) -> dict[str, Any]:
        """Return nothing: how a file lays examples out changes none of them."""
        return {}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Encoding:
        """Rebuild the encoding of `to_json`."""
        return cls(layout=ArrayLayout.from_json(record["layout"]))


def open_like(*args: Any, **options: Any) -> Examples:
    """See `data.open_in_space.open_like`."""
    # above this module: it opens data sets, which have an encoding
    from pushforward.data import open_in_space

    return open_in_space.open_like(*args, **options)
