"""One diagnosis.

One idea: a finding names the rule that fired, shows its evidence and suggests exactly one change.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Severity = Literal["info", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """Something a reader of a run should know.

    Example:
        >>> Finding("warning", "overfit", "validation loss rose for 40 % of the run", "use the best checkpoint").severity
        'warning'
    """

    severity: Severity
    rule: str
    message: str
    suggestion: str
    evidence: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary."""
        return asdict(self)
