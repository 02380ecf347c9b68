"""The formulas of the exercises in pieces, and what people put in the place of each piece."""
