"""What is measured of predictions, in words."""

from __future__ import annotations

from pushforward.core.measure import Aspect, Measure

PREDICTION = Aspect(
    "prediction", "Is one column told from the others, and as surely as is claimed?"
)
ACCURACY = Measure(
    "accuracy",
    "How often is the most probable category the true one?",
    aspect=PREDICTION,
    better="higher",
    at_most=1.0,
)
LOG_LOSS = Measure("log loss", "Minus the log-probability of the true category.", aspect=PREDICTION)
BRIER = Measure(
    "brier score", "The squared distance of the probabilities from the truth.", aspect=PREDICTION
)
AUC = Measure(
    "auc",
    "How often has a row of a category a larger probability of it than a row of another one? The "
    "mean over categories.",
    aspect=PREDICTION,
    better="higher",
    at_most=1.0,
)
CALIBRATION_ERROR = Measure(
    "calibration error",
    "How far is the share of true predictions from the probability that was claimed, in bins of it?",
    aspect=PREDICTION,
)
CRPS = Measure(
    "crps",
    "The distance of the predicted law from the true number, in its unit: for a law that is one "
    "number the absolute error.",
    aspect=PREDICTION,
)
ABSOLUTE_ERROR = Measure(
    "absolute error", "The distance of the median from the true number.", aspect=PREDICTION
)
ROOT_MEAN_SQUARE = Measure(
    "root mean square error",
    "The usual distance of the mean from the true number.",
    aspect=PREDICTION,
)
COVERAGE = Measure(
    "coverage of 90 %",
    "How often lies the true number between the 5 % and the 95 % quantile?",
    aspect=PREDICTION,
    role="check",
    better="higher",
)
