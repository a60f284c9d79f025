"""MixNet in PyTorch: eight variants, key for key compatible with the published checkpoints."""
