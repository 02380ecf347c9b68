"""From a rule as people write it to Python's own syntax tree, which is read and never executed.

One idea: names and texts are set aside first, so that no word of the grammar is looked for in them.
"""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Callable, Iterable

from pushforward.core.errors import BadInput
from pushforward.core.limits import require_below
from pushforward.data.tables.rules.rule import RESERVED

# dates are seconds since 1970
SECONDS = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0, "week": 604800.0}
LONGEST_RULE = 10_000
SUCH = "a rule such as 'age >= 18' or 'if country = \"FR\" then currency = \"EUR\"'"
_ASIDE = re.compile(r"`([^`]+)`|('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")")
_TEXT = "text_{}_"
_NAME = "column_{}_"
_OPERAND = r"([\w.]+(?:\([^()]*\))?)"
# each is applied in this order to what is neither a name in backticks nor a text
_SPELLINGS: tuple[tuple[str, str], ...] = (
    ("≤", "<="),
    ("≥", ">="),
    ("≠|<>", "!="),
    (r"(?<![<>=!])=(?!=)", "=="),
    (r"\b(AND|OR|NOT|IN|IF|THEN|IS|BETWEEN|NULL|MISSING|KNOWN)\b", "lower"),
    (r"&&", " and "),
    (r"\|\|", " or "),
    (rf"\b{_OPERAND}\s+is\s+(?:not\s+(?:missing|null)|known)\b", r"(not missing(\1))"),
    (rf"\b{_OPERAND}\s+is\s+(?:missing|null)\b", r"missing(\1)"),
    (rf"\b{_OPERAND}\s+between\s+(-?[\w.]+)\s+and\s+(-?[\w.]+)", r"(\2 <= \1 <= \3)"),
    *((rf"\b(\d+(?:\.\d+)?)\s+{unit}s?\b", rf"(\1 * {size})") for unit, size in SECONDS.items()),
    (r"\btrue\b", "True"),
    (r"\bfalse\b", "False"),
)


class WrittenRule:
    """A rule as it was written: its tree, and which words in it are columns' names.

    Raises:
        BadInput: too long, or no rule at all.

    Example:
        >>> written = WrittenRule("if `marital-status` = 'single' then age >= 16", ["marital-status", "age"])
        >>> ast.unparse(written.tree), written.name("column_0_")
        ("not column_0_ == 'single' or age >= 16", 'marital-status')
    """

    def __init__(self, text: str, names: Iterable[str]) -> None:
        self.text = text
        self._names: list[str] = []
        self._texts: list[str] = []
        shown = text if len(text) <= 80 else text[:77] + "..."
        require_below(
            len(text),
            LONGEST_RULE,
            f"a rule of {len(text):,} characters",
            "characters",
            "write it as several",
        )
        plain = self._without_names(_ASIDE.sub(self._aside, text.strip()), names)
        try:
            self.tree = ast.parse(self._with_texts(_as_python(plain)), mode="eval").body
        except SyntaxError as error:
            hint = f"{error.msg}; names of columns with blanks or signs stand in backticks"
            raise BadInput(f"the rule '{shown}'", SUCH, hint) from None
        except (ValueError, MemoryError, RecursionError, OverflowError) as error:
            raise BadInput(f"the rule '{shown}'", SUCH, str(error)) from None

    def name(self, word: str) -> str:
        """Return the column that a word of the tree stands for."""
        match = re.fullmatch(_NAME.format(r"(\d+)"), word)
        return self._names[int(match[1])] if match and int(match[1]) < len(self._names) else word

    def said(self, node: ast.AST) -> str:
        """Return a part of the tree as it was written, nearly."""
        shown = ast.unparse(node) if isinstance(node, ast.expr) else type(node).__name__
        for place, name in enumerate(self._names):
            shown = shown.replace(_NAME.format(place), f"`{name}`")
        return shown

    def _aside(self, match: re.Match[str]) -> str:
        if match[1] is not None:
            return self._alias(match[1])
        self._texts.append(match[2])
        return _TEXT.format(len(self._texts) - 1)

    def _alias(self, name: str) -> str:
        if name not in self._names:
            self._names.append(name)
        return _NAME.format(self._names.index(name))

    def _without_names(self, text: str, names: Iterable[str]) -> str:
        # who writes marital-status means the column of that name
        odd = [name for name in names if not name.isidentifier() or keyword.iskeyword(name)]
        for name in sorted((name for name in odd if name not in RESERVED), key=len, reverse=True):
            pattern = rf"(?<![\w.]){re.escape(name)}(?![\w.(])"
            if not _number(name) and re.search(pattern, text):
                text = re.sub(pattern, self._alias(name), text)
        return text

    def _with_texts(self, text: str) -> str:
        for place, word in reversed(list(enumerate(self._texts))):
            text = text.replace(_TEXT.format(place), word)
        return text


def _as_python(text: str) -> str:
    for pattern, becomes in _SPELLINGS:
        change: str | Callable[[re.Match[str]], str] = (
            (lambda match: match[0].lower()) if becomes == "lower" else becomes
        )
        text = re.sub(pattern, change, text)
    implied = re.fullmatch(r"if\b(.*?)\bthen\b(.*)", text.strip(), re.DOTALL)
    return f"(not ({implied[1]})) or ({implied[2]})" if implied else text.strip()


def _number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
