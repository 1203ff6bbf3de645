"""Pair hidden Markov models: alignment as inference."""
