"""MixNet in PyTorch: eight variants, key for key compatible with the published checkpoints.

>>> import zoo
>>> zoo.list_models("tf_*")
['tf_mixnet_s', 'tf_mixnet_m', 'tf_mixnet_l']
>>> zoo.model_info("tf_mixnet_s").input_size
(3, 224, 224)
>>> model = zoo.create_model("tf_mixnet_s")  # torch is imported here, not before

The architecture is that of Mingxing Tan and Quoc V. Le, "MixConv: Mixed Depthwise Convolutional Kernels",
https://arxiv.org/abs/1907.09595.
"""

from zoo import hub, preprocess
from zoo.factory import NoWeightsError, create_model, list_models, model_info
from zoo.registry import DuplicateModelError, ModelInfo, UnknownModelError, register
from zoo.variants import VARIANTS, build
from zoo.weights import Weights

__all__ = [
    "DuplicateModelError",
    "ModelInfo",
    "NoWeightsError",
    "UnknownModelError",
    "Weights",
    "create_model",
    "hub",
    "list_models",
    "model_info",
    "preprocess",
]

for _info in VARIANTS:
    register(_info, build)
