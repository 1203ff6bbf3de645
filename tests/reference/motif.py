"""A motif detector in plain loops, as a textbook would write it."""

from __future__ import annotations

from math import exp, log

import numpy as np


def window_score(weights, bias, letters, place):
    """Score one window: `weights` (n_letters, width), `letters` (length, n_letters)."""
    total = bias
    for letter in range(weights.shape[0]):
        for column in range(weights.shape[1]):
            total += weights[letter, column] * letters[place + column, letter]
    return total


def all_scores(weights, bias, letters):
    """Score every window with every filter: a list of lists, [filter][place]."""
    n_places, n_filters, _, width = weights.shape
    return [
        [
            window_score(weights[p % n_places, f], bias[p % n_places, f], letters, p)
            for p in range(len(letters) - width + 1)
        ]
        for f in range(n_filters)
    ]


def window_scores_of_letters(matrix, codes):
    """Score the windows of letters 0 to 3 with a matrix (width, letters): (place, score)."""
    found = []
    for place in range(len(codes) - len(matrix) + 1):
        window = codes[place : place + len(matrix)]
        if max(window) < 4:
            found.append((place, sum(int(row[c]) for row, c in zip(matrix, window, strict=True))))
    return found


def pool(scores, how):
    """Pool the scores of one motif, a flat list over windows and strands."""
    if how == "max":
        return max(scores)
    if how == "sum":
        return sum(scores)
    largest = max(scores)
    return largest + log(sum(exp(score - largest) for score in scores) / len(scores))


def logits(blocks, letters, how):
    """Log odds of each class but the first; `blocks` as in the layout of the model."""
    weights, bias = blocks["weights"], blocks["bias"]
    _, n_strands, n_motifs, _, _ = weights.shape
    result = [float(value) for value in blocks["intercept"]]
    by_strand = [all_scores(weights[:, s], bias[:, s], letters) for s in range(n_strands)]
    for motif in range(n_motifs):
        scores = [by_strand[s][motif] for s in range(n_strands)]
        if how == "none":
            for place in range(len(scores[0])):
                total = sum(strand[place] for strand in scores)
                readout = blocks["readout"][place % len(blocks["readout"])]
                for k in range(len(result)):
                    result[k] += readout[k, motif] * total
        elif how == "sum":
            result[motif] += pool([score for strand in scores for score in strand], "sum")
        else:
            pooled = pool([score for strand in scores for score in strand], how)
            for k in range(len(result)):
                result[k] += blocks["readout"][0, k, motif] * pooled
    return result


def log_likelihood(blocks, letters, label, how):
    """Log-probability of a label."""
    values = [0.0, *logits(blocks, letters, how)]
    return values[label] - log(sum(np.exp(values)))
