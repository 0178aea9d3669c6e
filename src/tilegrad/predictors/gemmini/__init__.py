"""What Gemmini's library makes of a mapping: tiles, commands, rows and cache lines, counted."""
