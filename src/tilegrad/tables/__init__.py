"""Tables of mappings and their measurements: opened, read in chunks, every cell checked."""
