"""Ways out of this project: tools that evaluate or build a design."""
