"""What turns sources of the course into notebooks and pages.

Three ideas: formulas become MathML, so that no script sets them; pictures become small PNGs where styles are not allowed; pages are
files that open from a disk, search included.
"""
