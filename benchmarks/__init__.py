"""Benchmarks: the engines of remitstats beside other samplers; `make bench` runs them."""
