"""Facts of machines, a room each."""
