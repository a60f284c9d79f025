"""The kinds of parts that a built model can be searched for, and which Architecture tags they are evidence of.

Tags are written as model indexes write them (Papers with Code's names of methods). A tag that is not listed here
speaks of an idea that modules cannot prove or refute ("Residual Connection", "Transformer"): it stays unchecked.
This module imports no torch; :mod:`tools.measure.evidence` does the search.
"""

from __future__ import annotations

from collections.abc import Mapping

KINDS: Mapping[str, str] = {
    "Convolution": "a convolution in one, two or three dimensions (transposed ones are a kind of their own)",
    "1x1 Convolution": "a convolution whose kernel is 1 in every dimension",
    "Grouped Convolution": "a convolution with groups > 1, depthwise ones included",
    "Depthwise Convolution": "a convolution with as many groups as input channels, more than one",
    "Depthwise Separable Convolution": "a depthwise convolution that is followed by a 1x1 convolution",
    "Dilated Convolution": "a convolution with dilation > 1",
    "Transposed Convolution": "a transposed convolution",
    "MixConv": "depthwise convolutions of several kernel sizes side by side, or a class of that name",
    "Squeeze-and-Excitation Block": "a gate over channels: reduce, expand back, sigmoid; or a class of that name",
    "Efficient Channel Attention": "a class of that name (EcaModule, ECALayer)",
    "Batch Normalization": "a batch norm module, or the operator",
    "Layer Normalization": "a layer norm module, or the operator",
    "Group Normalization": "a group norm module, or the operator",
    "Instance Normalization": "an instance norm module, or the operator",
    "RMS Normalization": "a root-mean-square norm module, or the operator",
    "Local Response Normalization": "a local response norm module",
    "SiLU": "a SiLU (Swish) module, or the operator",
    "ReLU": "a ReLU module, or the operator",
    "ReLU6": "a ReLU6 module, or the operator hardtanh",
    "GELU": "a GELU module, or the operator",
    "Sigmoid": "a sigmoid module, or the operator",
    "Hard Sigmoid": "a hard sigmoid module, or the operator",
    "Hard Swish": "a hard swish module, or the operator",
    "Leaky ReLU": "a leaky ReLU module, or the operator",
    "PReLU": "a PReLU module, or the operator",
    "ELU": "an ELU module, or the operator",
    "Mish": "a Mish module, or the operator",
    "Tanh": "a tanh module, or the operator",
    "Softmax": "a softmax module, or the operator",
    "Dropout": "a dropout module, or the operator",
    "Stochastic Depth": "a class of that name (DropPath, StochasticDepth)",
    "Global Average Pooling": "an average over all of height and width outside a squeeze-and-excitation block",
    "Average Pooling": "an average pooling module, or the operator",
    "Max Pooling": "a max pooling module, or the operator",
    "Linear": "a linear layer",
    "Attention": "scaled-dot-product attention as an operator, or a class with Attention in its name",
    "Multi-Head Attention": "nn.MultiheadAttention, or scaled-dot-product attention over several heads",
    "LSTM": "an LSTM module",
    "GRU": "a GRU module",
    "Embedding": "an embedding module",
}
"""Kind -> what counts as one. The keys of ``Measurement.kinds`` are among these."""

TAGS: Mapping[str, tuple[str, ...]] = {
    **{kind: (kind,) for kind in KINDS},
    "Pointwise Convolution": ("1x1 Convolution",),
    "Swish": ("SiLU",),
    "Sigmoid Linear Unit": ("SiLU",),
    "Squeeze-and-Excitation": ("Squeeze-and-Excitation Block",),
    "Squeeze-Excitation": ("Squeeze-and-Excitation Block",),
    "Squeeze and Excitation": ("Squeeze-and-Excitation Block",),
    "SE Block": ("Squeeze-and-Excitation Block",),
    "ECA": ("Efficient Channel Attention",),
    "BatchNorm": ("Batch Normalization",),
    "LayerNorm": ("Layer Normalization",),
    "RMSNorm": ("RMS Normalization",),
    "Sigmoid Activation": ("Sigmoid", "Hard Sigmoid"),
    "Tanh Activation": ("Tanh",),
    "Gaussian Error Linear Units": ("GELU",),
    "Rectified Linear Units": ("ReLU", "ReLU6"),
    "HardSwish": ("Hard Swish",),
    "H-Swish": ("Hard Swish",),
    "LeakyReLU": ("Leaky ReLU",),
    "Drop Path": ("Stochastic Depth",),
    "DropPath": ("Stochastic Depth",),
    "Dense Connections": ("Linear",),
    "Linear Layer": ("Linear",),
    "Fully Connected Layer": ("Linear",),
    "Feedforward Network": ("Linear",),
    "Scaled Dot-Product Attention": ("Attention",),
    "Dot-Product Attention": ("Attention",),
    "Attention Mechanism": ("Attention",),
    "Average Pool": ("Average Pooling",),
    "Max Pool": ("Max Pooling",),
}
"""Tag -> the kinds of which at least one must be present."""
