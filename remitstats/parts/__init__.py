"""Building blocks of the models, each with a log density that a test checks against NumPy."""
