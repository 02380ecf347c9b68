"""Who may train on which text.

Two ideas: whole documents are drawn where there are enough of them, equal ones together; otherwise
text is cut twice, so that what is scored comes after what was trained on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pushforward.core.errors import BadInput
from pushforward.core.rng import derive_seed
from pushforward.data.folders import SPLITS, TEST, TRAIN, VALIDATION
from pushforward.data.repeats import documents_repeat

SHARES, TENTH = (0.8, 0.1, 0.1), (0.9, 0.1)
ENOUGH_DOCUMENTS = 20


@dataclass(frozen=True)
class Part:
    """The documents of one split; `continues` if the first of them began in the split before.

    Attributes:
        contexts: what each document is about; empty if there is nothing.
    """

    documents: tuple[str, ...]
    continues: bool = False
    contexts: tuple[str, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """Documents and contexts."""
        return (*self.documents, *self.contexts)


def split_documents(
    documents: tuple[str, ...],
    seed: int,
    contexts: tuple[str, ...] = (),
    roles: tuple[int, ...] = (),
) -> tuple[tuple[Part, Part, Part], str]:
    """Return the training, validation and test parts, and the sentence that says how they were
    made.

    Args:
        contexts: what each document is about.
        roles: the split that the source puts each document in; the one of validation and test that
            it lacks is drawn from training.

    Raises:
        BadInput: too few documents with contexts, which cannot be cut.

    With 20 different documents or more, whole documents in order of a random draw, 80/10/10 % of
    the characters. With fewer, the first 90 % of the characters, and the two halves of the rest.

    Example:
        >>> parts, how = split_documents(("0123456789" * 2,), seed=0)
        >>> [part.documents for part in parts], [part.continues for part in parts]
        ([('012345678901234567',), ('8',), ('9',)], [False, True, True])
    """
    if roles:
        return _own(documents, contexts, seed, roles)
    drawn = _by_documents(documents, contexts, seed)
    if drawn is not None:
        counts = "/".join(f"{len(part.documents):,}" for part in drawn)
        return (
            drawn,
            f"split by documents: 80/10/10 % of the characters by seed {seed} ({counts} documents), {_together(documents)}",
        )
    if contexts:
        came = f"{len(set(documents))} different documents with contexts"
        raise BadInput(
            came, f"at least {ENOUGH_DOCUMENTS}, none of them most of the text", "bring more"
        )
    parts = _contiguous(documents)
    counts = "/".join(f"{sum(map(len, part.documents)):,}" for part in parts)
    distinct = len(set(documents))
    why = (
        f"fewer than {ENOUGH_DOCUMENTS} different documents"
        if distinct < ENOUGH_DOCUMENTS
        else "a document too long to draw"
    )
    return (
        parts,
        f"split in order, because of {why}: first 90 % training, next 5 % validation, last 5 % test ({counts} characters)",
    )


def _own(
    documents: tuple[str, ...], contexts: tuple[str, ...], seed: int, roles: tuple[int, ...]
) -> tuple[tuple[Part, Part, Part], str]:
    """Return the splits of the source; validation or test, if it has none, is a tenth of its
    training text."""
    parts = []
    for split in range(3):
        rows = [i for i, role in enumerate(roles) if role == split]
        parts.append(
            Part(
                tuple(documents[i] for i in rows),
                contexts=tuple(contexts[i] for i in rows if contexts),
            )
        )
    missing = next((split for split in (VALIDATION, TEST) if not parts[split].documents), None)
    if missing is None:
        return (parts[0], parts[1], parts[2]), "the source's own splits"
    train = parts[TRAIN]
    cut = _by_documents(train.documents, train.contexts, seed, TENTH)
    if cut is None and contexts:
        came = f"{len(train.documents)} training documents with contexts, and no {SPLITS[missing]} documents"
        raise BadInput(came, f"at least {ENOUGH_DOCUMENTS}", "bring more")
    first = sum(map(len, train.documents)) * 9 // 10
    whole = sum(map(len, train.documents))
    kept, held = (
        cut[:2]
        if cut
        else (_between(train.documents, 0, first), _between(train.documents, first, whole))
    )
    # the test part follows the validation part, which no training document began in
    parts[TRAIN], parts[missing] = (
        kept,
        held if missing == VALIDATION else Part(held.documents, contexts=held.contexts),
    )
    how = f"drawn by seed {seed}" if cut else "its last characters"
    said = (
        f"the source's own splits; a tenth of its training text, {how}, is {SPLITS[missing]} text"
    )
    return (parts[0], parts[1], parts[2]), said


def _together(documents: tuple[str, ...]) -> str:
    return (
        "one by one, because repeats are natural here"
        if documents_repeat(documents)
        else "equal ones together"
    )


def _by_documents(
    documents: tuple[str, ...],
    contexts: tuple[str, ...],
    seed: int,
    shares: tuple[float, ...] = SHARES,
) -> tuple[Part, Part, Part] | None:
    """Return whole documents by a random draw, None if there are too few or if a split would be
    left without one."""
    group_of = {document: i for i, document in enumerate(dict.fromkeys(documents))}
    if len(group_of) < ENOUGH_DOCUMENTS:
        return None
    own = documents_repeat(documents)
    groups = (
        np.arange(len(documents))
        if own
        else np.array([group_of[document] for document in documents])
    )
    sizes = np.bincount(groups, weights=[len(document) for document in documents])
    order = np.random.default_rng(derive_seed(seed, "split")).permutation(len(sizes))
    # a document belongs where its middle lies on the line of all characters in random order
    middle = (np.cumsum(sizes[order]) - sizes[order] / 2) / sizes.sum()
    place = np.empty(len(sizes), dtype=np.int64)
    place[order] = np.searchsorted(np.cumsum(shares)[:-1], middle, side="right")
    parts = []
    for split in range(3):
        rows = np.flatnonzero(place[groups] == split).tolist()
        if not rows and split < len(shares):
            return None
        parts.append(
            Part(
                tuple(documents[i] for i in rows),
                contexts=tuple(contexts[i] for i in rows if contexts),
            )
        )
    return parts[0], parts[1], parts[2]


def _contiguous(documents: tuple[str, ...]) -> tuple[Part, Part, Part]:
    total = sum(map(len, documents))
    # integers: 0.9 * 1,115,394 must be cut at the 1,003,854 that published figures use
    first = total * 9 // 10
    second = first + (total - first) // 2
    return (
        _between(documents, 0, first),
        _between(documents, first, second),
        _between(documents, second, total),
    )


def _between(documents: tuple[str, ...], start: int, end: int) -> Part:
    pieces, continues, offset = [], False, 0
    for document in documents:
        low, high = max(start - offset, 0), min(end - offset, len(document))
        if low < high:
            continues = continues or low > 0
            pieces.append(document[low:high])
        offset += len(document)
    return Part(tuple(pieces), continues)
