"""Right answers to the course's exercises in other styles than the published solutions: each must pass."""

from __future__ import annotations
