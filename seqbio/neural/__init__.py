"""Blocks that networks are made of: arrays in, arrays out, each with its gradient.

- `seqbio.neural.recurrence` runs a cell over a batch of sequences, forward and backward, and
  `seqbio.neural.cells` has the cells, a file each;
- `embedding`, `dense`, `filters`, `pooling`, `dropout` and `cross_entropy` are what stands before,
  between and behind them;
- `initial_weights` draws what training starts from, and `workspace` keeps memory for the next call.

Names of models, ties and data are none of their business.
"""
