"""Recurrent models of sequences: the same rule at every step, or a rule for each."""
