"""Migration regions, map shapes and neighbours of the municipalities."""
