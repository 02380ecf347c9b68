"""Columns that a model learns nothing of and that come back all the same: made anew, like the real
values and never one of them."""
