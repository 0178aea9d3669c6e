"""A genetic search over whole designs, by pymoo."""
