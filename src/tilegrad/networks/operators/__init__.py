"""What operators of any framework are as problems: convolutions and contractions."""
