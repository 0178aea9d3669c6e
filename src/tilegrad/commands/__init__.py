"""The commands that scripts and the installed ``tilegrad`` share, one module each."""
