"""What a measure is about, so that forty of them can be read.

One idea: a reader asks seven questions of samples (are they close, good and complete, varied, in the right classes, right as text
or as a table, new, and safe to share), and every measure answers one.
"""

from __future__ import annotations

from pushforward.evaluation.diversity.bins import DIFFERENT, DIVERGENCE
from pushforward.evaluation.diversity.classes import ACCURACY, INCEPTION, RARE, VARIATION
from pushforward.evaluation.diversity.pairwise import PAIRWISE
from pushforward.evaluation.diversity.vendi import VENDI
from pushforward.evaluation.likelihood.gap import GAP
from pushforward.evaluation.memorisation.verdict import MEMORISATION
from pushforward.evaluation.table.column_shapes import SHAPES, TRANSPORT
from pushforward.evaluation.table.constraints import CONSTRAINTS
from pushforward.evaluation.table.distance_to_closest import CLOSER, CLOSEST, RATIO
from pushforward.evaluation.table.pair_associations import PAIR_ASSOCIATIONS
from pushforward.evaluation.table.pair_shapes import PAIR_SHAPES
from pushforward.evaluation.table.privacy.attribute_inference import INFERENCE
from pushforward.evaluation.table.privacy.linkability import LINKABILITY
from pushforward.evaluation.table.privacy.singling_out import SINGLING_OUT
from pushforward.evaluation.table.validity import VALIDITY
from pushforward.evaluation.text.distinct import DISTINCT
from pushforward.evaluation.text.entropy import ENTROPY
from pushforward.evaluation.text.mauve import MAUVE
from pushforward.evaluation.text.repetition import REPETITION
from pushforward.evaluation.text.self_bleu import SELF_BLEU
from pushforward.evaluation.text.verbatim import COPIED, LONGEST

DISTANCE, FIDELITY, DIVERSITY, CLASSES = "distance to the data", "fidelity and coverage", "diversity", "classes"
TEXT, TABLE, MEMORY, PRIVACY, OTHER = "text", "columns and rules", "memorisation", "privacy", "other measures"

# the beginnings of the names of each aspect's measures, in the order a card shows them
ASPECTS: dict[str, tuple[str, ...]] = {
    DISTANCE: (
        "frechet distance",
        "kernel distance",
        "squared mmd",
        "energy distance",
        "sliced wasserstein distance",
        "classifier two-sample accuracy",
        MAUVE,
    ),
    FIDELITY: ("precision", "recall", "density", "coverage", "integrated alpha-precision", "integrated beta-recall"),
    DIVERSITY: (VENDI, PAIRWISE, DIFFERENT, DIVERGENCE, DISTINCT, SELF_BLEU),
    CLASSES: (ACCURACY, RARE, VARIATION, INCEPTION),
    TEXT: (ENTROPY, REPETITION),
    TABLE: (SHAPES, TRANSPORT, PAIR_SHAPES, PAIR_ASSOCIATIONS, VALIDITY, CONSTRAINTS),
    MEMORY: (*MEMORISATION, LONGEST, COPIED, GAP),
    PRIVACY: (CLOSER, CLOSEST, RATIO, SINGLING_OUT, LINKABILITY, INFERENCE),
}


def aspect_of(name: str) -> str:
    """Return the aspect of the measure that a score's name begins with.

    Example:
        >>> aspect_of("frechet distance [pca-32] vs test"), aspect_of("copying statistic [pca-32] train vs test")
        ('distance to the data', 'memorisation')
    """
    return next((aspect for aspect, heads in ASPECTS.items() if name.startswith(heads)), OTHER)


def is_check(name: str) -> bool:
    """Return whether a measure has a null and no merit: more distance to the training data is not better.

    Example:
        >>> is_check("linkability [every other column and the rest]"), is_check("recall [pca-32] vs test")
        (True, False)
    """
    return aspect_of(name) in (MEMORY, PRIVACY)
