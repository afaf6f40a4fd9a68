"""Running a model, judging the run and keeping it."""
