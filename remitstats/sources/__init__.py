"""One reader per publisher: the official file as published in, a tidy table out."""
