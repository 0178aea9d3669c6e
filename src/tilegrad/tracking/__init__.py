"""What a run tells Weights & Biases, TensorBoard and CSV files.

Nothing is imported here: a search without loggers starts without Lightning.
"""
