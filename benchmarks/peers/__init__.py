"""One file a sampler; each has `run`, and `log_density` where it fits the very same model."""
