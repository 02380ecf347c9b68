"""Answers that passed, at work in the real training."""
