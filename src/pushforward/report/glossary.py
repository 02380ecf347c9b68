"""What every measure asks, in words that need no paper.

One idea: a term belongs to the beginning of a measure's name, so that whatever it was measured with is explained once.
"""

from __future__ import annotations

from dataclasses import dataclass

from pushforward.report.numbers import split_name


@dataclass(frozen=True)
class Term:
    """A measure in plain words.

    Attributes:
        title: what a heading calls it.
        unit: what its number counts.
        says: what it asks, in a sentence.
    """

    title: str
    unit: str
    says: str


DISTANCE = "0 = no difference"
SHARE = "share of samples"
_TERMS: dict[str, Term] = {
    "log-likelihood": Term(
        "Surprise at unseen data", "see heading", "How many bits or nats the model needs for data that it never saw."
    ),
    "KL to the truth": Term(
        "Distance to the truth", "nats an example", "What the model needs beyond the true law, which is known here."
    ),
    "parzen": Term("Parzen window", "nats", "A historical number that misleads; it is not counted."),
    "frechet distance, bias removed": Term(
        "Averages and spreads, corrected", DISTANCE, "The same without the part that small samples alone cause."
    ),
    "frechet distance": Term(
        "Averages and spreads", DISTANCE, "How far means and covariances of features lie from those of real data."
    ),
    "kernel distance": Term(
        "Averages, spreads, skews", DISTANCE, "How far the first three moments of features lie from those of real data."
    ),
    "squared mmd": Term(
        "Shape, at one scale", DISTANCE, "Any difference that shows at the typical distance between two real examples."
    ),
    "energy distance": Term(
        "Shape, at every scale", DISTANCE, "Samples lie further from real data than real data from themselves."
    ),
    "sliced wasserstein distance": Term(
        "Mass to be moved", "distance in features", "How far samples must move to become real data, seen along lines."
    ),
    "classifier two-sample accuracy": Term(
        "Told apart by a classifier",
        "0.5 = guessing",
        "A classifier is trained to tell samples from real data, and tried on examples that it has not seen.",
    ),
    "mauve": Term("Same kinds of text", "1 = alike", "Whether samples and real texts fall into the same groups."),
    "precision": Term("Samples that look real", SHARE, "How many samples lie where real data lie."),
    "recall": Term("Real data within reach", "share of real data", "How many real examples lie where samples lie."),
    "density": Term(
        "Crowding near real data",
        "1 = as real data",
        "How many samples crowd around each real example; above 1, too many.",
    ),
    "coverage": Term("Real data covered", "share of real data", "How many real examples have a sample close by."),
    "integrated alpha-precision": Term(
        "Typical share right", "1 = as real data", "Whether the typical part of the data gets its share of samples."
    ),
    "integrated beta-recall": Term(
        "Detail right", "read beside real data", "Whether samples come as close to each real example as real ones do."
    ),
    "vendi score": Term("Different things", "a count", "How many clearly different things the samples amount to."),
    "mean pairwise distance": Term("Spread", "distance in features", "How far apart two samples lie on average."),
    "share of different bins": Term(
        "Groups over- or underfed", "share of groups", "How many groups of real data get too many or too few samples."
    ),
    "divergence of bin shares": Term("Shares of groups", "bits", "How far the shares of the groups are off."),
    "distinct": Term("Variety of words", "share distinct", "How many of the words and phrases occur once only."),
    "self-BLEU-4": Term(
        "Samples resemble each other", "0 to 1", "How much of one sample's wording occurs in the others."
    ),
    "label accuracy": Term("Class as asked", SHARE, "Whether a sample shows the class that was asked for."),
    "rare-class recall": Term("Rare classes kept", "1 = as real data", "Whether the rarest classes get their share."),
    "total variation of class shares": Term("Shares of classes off", "share moved", "How far class shares are off."),
    "inception-style score": Term("Clear and varied classes", "a count", "Clear samples of many classes score high."),
    "entropy gap": Term(
        "Variety within a text", "bits", "How varied the characters of one sample are, beside real text."
    ),
    "repeated 4-grams": Term("Loops", "share of phrases", "How much of a sample repeats what it has already said."),
    "column shapes": Term("Columns off", "0 to 1", "How far each column by itself is from the data's, on average."),
    "normalised wasserstein distance": Term(
        "Numbers moved", "share of the range", "How far numbers have moved, in parts of the column's range."
    ),
    "pair shapes": Term("Pairs of columns off", "0 to 1", "How far two columns together are from the data's."),
    "pair associations": Term("Links between columns off", "0 to 1", "How far dependences between columns are off."),
    "validity": Term("Possible cells", SHARE, "Rows in which every cell holds something that the column allows."),
    "constraint violations": Term("Impossible rows", SHARE, "Rows that break a rule which every training row keeps."),
    "exact duplicates": Term(
        "Copies of training data", SHARE, "Samples that are training examples, to the last digit."
    ),
    "near duplicates": Term("Near copies", SHARE, "Samples that are one training example with little changed."),
    "authenticity": Term("Not a copy", SHARE, "Samples further from a training example than its own neighbour is."),
    "copying statistic": Term(
        "Nearer to training data than real data are", "standard errors", "Far below zero: copied. Above zero: no merit."
    ),
    "pull of training examples": Term(
        "Pull of training data", "standard errors", "Above 3: samples lie nearer to training than to unseen data."
    ),
    "membership AUC": Term(
        "Who was in training, on average", "0.5 = guessing", "How well an attack tells training from unseen examples."
    ),
    "membership TPR": Term(
        "Who was in training, for certain",
        "0.01 = guessing",
        "Members found when one accusation in a hundred is false.",
    ),
    "longest verbatim run": Term("Longest passage copied", "tokens", "The longest run of tokens found in training."),
    "verbatim windows": Term("Passages copied", SHARE, "Samples that hold a long run of tokens found in training."),
    "likelihood gap": Term(
        "Training data preferred", "see heading", "How much likelier training data are than unseen."
    ),
    "share closer to train": Term(
        "Nearer to training rows", "0.5 = fair", "Samples whose closest row is a training row and not an unseen one."
    ),
    "distance to closest record": Term(
        "Closest training row",
        "mean share of a column's range",
        "How close the closest samples come to a training row.",
    ),
    "nearest neighbour distance ratio": Term(
        "One row closer than the next", "ratio", "Near 0: a sample points at one training row."
    ),
    "singling out": Term(
        "Singling out", "excess success", "An attack describes one person by what is unique in samples."
    ),
    "attribute inference": Term("Guessing a secret", "excess success", "An attack guesses one column from the others."),
    "linkability": Term(
        "Linking two halves", "excess success", "An attack joins what is known of a person in two places."
    ),
}


def term(name: str) -> Term:
    """Return a measure in plain words; one that is not known is called by its own name.

    Example:
        >>> term("recall [pca-2] vs test").title, term("odd thing [x]").title
        ('Real data within reach', 'odd thing')
    """
    found = max((head for head in _TERMS if name.startswith(head)), key=len, default=None)
    return Term(split_name(name)[0], "", "") if found is None else _TERMS[found]
