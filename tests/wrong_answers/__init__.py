"""Wrong answers to the course's exercises, section by section.

A mutant is the text that is replaced in the published solution, what replaces it, and a pattern of what the checker must say then.
"""

from __future__ import annotations

Mutant = tuple[str, str, str]
