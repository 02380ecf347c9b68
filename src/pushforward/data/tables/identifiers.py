"""Columns that a model learns nothing of: keys, personal data, names of single things, sentences.

One idea: they come back with values made anew, in the way that the real ones are written, and none
of them real.
"""

from __future__ import annotations

import shlex
from dataclasses import replace

import pandas as pd

from pushforward.core.errors import BadInput
from pushforward.data.tables.doubts import Doubt
from pushforward.data.tables.found import FoundColumn, Rules, keeping, option, shown_at
from pushforward.data.tables.stored import OBJECTS, Stored
from pushforward.data.tables.surrogates.bloom_filter import BloomFilter
from pushforward.data.tables.surrogates.key import KeySurrogate
from pushforward.data.tables.surrogates.kinds import SAMPLE
from pushforward.data.tables.surrogates.made_texts import TextSurrogate
from pushforward.data.tables.surrogates.names import locale_of
from pushforward.data.tables.surrogates.numbered import NumberedSurrogate
from pushforward.data.tables.surrogates.personal import personal_called, personal_of
from pushforward.data.tables.surrogates.surrogate import Surrogate

WORDS_OF_A_TEXT = 6  # names and addresses have fewer
FEWEST_GROUPS = 5
LENGTHS = 99  # quantiles of the numbers of words that are kept


def identifier(known: pd.Series, gone: int, stored: Stored, why: str, rules: Rules) -> FoundColumn:
    """Return a column whose values tell rows apart: in the pattern of the real, of persons who do
    not exist, or numbered.

    Args:
        known: its values that are not missing, of which `gone` more are.

    Example:
        >>> known = pd.Series([f"AB-{n:05d}" for n in range(1, 60)])
        >>> identifier(known, 0, Stored("order", "str"), "59 distinct values in 59 rows", Rules(None, False, "natural")).said[:61]
        '59 distinct values in 59 rows, written as AB-#####, so a key:'
    """
    missing, values = gone / (gone + len(known)), known.astype(object).tolist()
    words = all(isinstance(value, str) for value in values)
    found = personal_of(stored.label, values, gone, rules.locale) if words else None
    made = found or KeySurrogate.of(values, missing)
    if made is None:
        made = NumberedSurrogate(stored.label, BloomFilter.of(map(str, values)), missing)
    again, shown = len(values) - known.nunique(), made_anew(stored, made, why)
    plain = (
        "categorical"
        if words or not stored.dtype.lower().startswith(("int", "uint"))
        else "integer"
    )
    doubt = Doubt(f"{again:,} of its {len(values):,} values recur", plain, open=again > 0)
    if found is not None:
        return shown
    kind = shown.kind if not again else "identifier"
    return replace(shown, kind=kind, doubts=(doubt,) if again else ())


def personal(known: pd.Series, gone: int, stored: Stored, rules: Rules) -> FoundColumn | None:
    """Return a column of personal data, None for any other."""
    values = known.astype(object).tolist()
    if not all(isinstance(value, str) for value in values):
        return None
    found = personal_of(stored.label, values, gone, rules.locale)
    return None if found is None else made_anew(stored, found)


def key(known: pd.Series, series: pd.Series, stored: Stored, rules: Rules) -> FoundColumn:
    """Return a column that was declared a key.

    Raises:
        BadInput: two rows of one key, or fractions.
    """
    again = series.duplicated().to_numpy() & series.notna().to_numpy()
    if again.any():
        row = int(again.argmax())
        first = int((series == series.iloc[row]).fillna(False).to_numpy(dtype=bool).argmax())
        raise BadInput(
            f"{shown_at(series, row)} in column '{stored.label}' declared a key, at {rules.where(first)} and {rules.where(row)}",
            "a value of its own for every row",
            f"repair it, or declare another kind, such as {option(stored.label, 'categorical')}",
        )
    gone = len(series) - len(known)
    return identifier(known, gone, stored, "declared a key", replace(rules, kind=None))


def group(known: pd.Series, series: pd.Series, stored: Stored, rules: Rules) -> FoundColumn:
    """Return the column that says what rows belong to.

    Raises:
        BadInput: a row that belongs to nothing, or rows that belong to one thing or each to its
            own.
    """
    gone, different = series.isna().to_numpy(), known.nunique()
    if gone.any():
        raise BadInput(
            f"no value in column '{stored.label}', by which rows are grouped, at {rules.where(int(gone.argmax()))}",
            "the group of every row",
            "fill it, or drop those rows",
        )
    if different < FEWEST_GROUPS:
        raise BadInput(
            f"column '{stored.label}' of {different} groups",
            f"at least {FEWEST_GROUPS}, of which some are held out",
            "leave `data.group` out",
        )
    return identifier(known, 0, stored, f"{different:,} groups of rows", replace(rules, kind=None))


def personal_as(
    kind: str, known: pd.Series, series: pd.Series, stored: Stored, rules: Rules
) -> FoundColumn:
    """Return a column that was declared personal data of a kind.

    Raises:
        BadInput: numbers.
    """
    values = known.astype(object).tolist()
    if not all(isinstance(value, str) for value in values):
        raise BadInput(
            f"column '{stored.label}' of dtype {series.dtype} declared {kind}",
            "text",
            f"declare it {option(stored.label, 'key')} or {option(stored.label, 'integer')}",
        )
    gone = len(series) - len(known)
    return made_anew(
        stored, personal_called(kind, stored.label, values, gone, rules.locale), "declared"
    )


def country_of(frame: pd.DataFrame) -> str:
    """Return the locale of a table's persons: that of the names in it, the usual one where it has
    none.

    Example:
        >>> country_of(pd.DataFrame({"vorname": ["J\u00f6rg", "Heike", "Annegret"]}))
        'de_DE'
    """
    columns = []
    for label, series in frame.items():
        known = series.dropna()
        if str(series.dtype) in OBJECTS and len(known) and isinstance(known.iloc[0], str):
            columns.append((str(label), [v for v in known.unique()[:SAMPLE] if isinstance(v, str)]))
    return locale_of(columns)


def free_text(known: pd.Series, gone: int, stored: Stored, rules: Rules) -> FoundColumn | None:
    """Return a column of sentences, which comes back with made-up ones, and what models them; None
    for anything else.

    Example:
        >>> some = pd.Series(["It rained all day long here.", "We walked down to the old pier."])
        >>> found = free_text(some, 0, Stored("diary", "str"), Rules(None, False, "natural"))
        >>> found.lost[:22]
        'what texts say: 2 diff'
    """
    counts = _words_in(known)
    if float(counts.median()) < WORDS_OF_A_TEXT:
        return None
    field = shlex.quote(f"data.text_field={stored.label}")
    how = (
        "a table has words but no texts: to model them write its rows as .jsonl (pandas: .to_json('rows.jsonl', "
        f"orient='records', lines=True)) and open that with `-s {field}`, and `-s data.context=...` for another column "
        "that says what each is about"
    )
    why = f"{known.nunique()} different ones of {counts.median():.0f} words"
    found = made_anew(stored, text_surrogate(known, gone, rules), why)
    return replace(found, said=f"{found.said}; {how}", lost=f"what texts say: {why}; {how}")


def _words_in(known: pd.Series) -> pd.Series:
    """Return how many words each value has."""
    words = (len(value.split()) if isinstance(value, str) else 0 for value in known.tolist())
    return pd.Series(list(words), dtype="int64")


def text_surrogate(known: pd.Series, gone: int, rules: Rules) -> TextSurrogate:
    """Return how sentences are made anew: as long as the real ones."""
    shares = [k / (LENGTHS + 1) for k in range(1, LENGTHS + 1)]
    lengths = _words_in(known).quantile(shares).round().astype(int)
    missing = gone / (gone + len(known))
    return TextSurrogate(tuple(sorted(lengths.tolist())), missing, rules.locale)


def made_anew(
    stored: Stored, surrogate: Surrogate, why: str = "", doubts: tuple[Doubt, ...] = ()
) -> FoundColumn:
    """Return a column that comes back with new values."""
    before = f"{why}, " if why else ""
    said = f"{before}{surrogate.said}: samples have new ones, {surrogate.promise} ({keeping(stored.label)})"
    kept = replace(stored, role="surrogate", levels=(), surrogate=surrogate)
    return FoundColumn(None, kept, said, kind=surrogate.called, doubts=doubts)
