"""Measure models: parameters, FLOPs, activations, state dicts; with a cache and a pool of workers."""
