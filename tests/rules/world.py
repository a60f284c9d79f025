"""A small world for rules: cards loaded by the real loader, and measurements that no test has to build.

The MixNets have the real numbers of their reference; the others are made up for one rule each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tools.measure.records import (
    CodeConfig,
    Count,
    Environment,
    Failure,
    InputSize,
    Listing,
    Measurement,
    TensorEntry,
)
from tools.modelindex.load import load
from tools.modelindex.records import Index
from tools.rules.engine import Judged, judge
from tools.rules.records import Context, Finding, Judgement
from tools.weights.records import LinkStatus, WeightFile

ENVIRONMENT = Environment(python="3.12.0", torch="2.13.0", fvcore="0.1.5", platform="test")
SHA256 = "a907afbc" + "0123456789abcdef" * 3 + "01234567"


def count(counter: str, total: int, size: InputSize = (3, 224, 224), **fields: Any) -> Count:
    values: dict[str, Any] = {"by_operator": {}, "by_stage": {}, "uncounted": {}, "own_formulas": {}} | fields
    return Count(counter, size, total, **values)


def measurement(name: str = "net", parameters: int = 4_134_606, **fields: Any) -> Measurement:
    """A measurement; state dict of one float32 tensor that holds all parameters, unless told otherwise."""
    values: dict[str, Any] = {
        "trainable_parameters": parameters,
        "buffers": 0,
        "parameters_by_stage": {},
        "parameters_by_kind": {},
        "counts": (),
        "activations": 0,
        "activations_by_stage": {},
        "state_dict": (TensorEntry("weight", (parameters,), "float32", 4 * parameters),),
        "module_versions": (("", 1),),
        "kinds": {},
        "fingerprint": name,
        "classifier": None,
        "input_size": (3, 224, 224),
        "dtype": "float32",
        "method": "meta",
        "method_reason": "",
        "environment": ENVIRONMENT,
        "config": CodeConfig(),
        "seconds": 0.1,
    }
    return Measurement(name, parameters, **(values | fields))


def _mixnet(
    name: str, parameters: int, conv: int, norm: int, published: int, file_size: int, hashed: str
) -> Measurement:
    total = conv + norm + 75264 + 1536000
    matrix = conv + 1536000
    operators = {"conv": conv, "batch_norm": norm, "adaptive_avg_pool2d": 75264, "linear": 1536000}
    tensor_bytes = file_size - 60_000
    return measurement(
        name,
        parameters,
        buffers=32_241,
        counts=(
            count("fvcore", total, by_operator=operators, uncounted={"aten::silu_": 39, "aten::mul": 13}),
            count("torch", matrix, by_operator={"conv": conv, "linear": 1536000}),
            count("conv-linear", matrix),
            count("thop-0.0.31", published, (3, 224, 285)),
        ),
        state_dict=(TensorEntry("weight", (tensor_bytes // 4,), "float32", tensor_bytes // 4 * 4),),
        kinds={"Batch Normalization": 42, "MixConv": 12, "Linear": 1},
        classifier=(1536, 1000),
        config=CodeConfig(
            weights=f"https://example.org/weights/{name}-{hashed}.pth",
            input_size=(3, 224, 224),
            crop_pct=0.875,
            interpolation="bicubic",
            mean=(0.485, 0.456, 0.406),
            std=(0.229, 0.224, 0.225),
        ),
    )


MIXNET_S = _mixnet("mixnet_s", 4_134_606, 237_637_360, 12_488_336, 321_264_910, 16_727_982, "a907afbc")
MIXNET_M = _mixnet("mixnet_m", 5_014_382, 337_636_672, 16_365_216, 454_543_374, 20_298_347, "4647fc68")
AT_HAND = measurement("at_hand", 4_000_000)
ATTENTION = "aten::scaled_dot_product_attention"
VIT_OPERATORS = {"conv": 58_000_000, "linear": 1_192_000_000}

MEASUREMENTS: dict[str, Measurement | Failure] = {
    "mixnet_s": MIXNET_S,
    "mixnet_m": MIXNET_M,
    "mixnet_s_twin": replace(MIXNET_S, name="mixnet_s_twin"),
    "halfway": measurement("halfway", 4_135_000),
    "disagreeing": measurement(
        "disagreeing",
        counts=(
            count("fvcore", 300_000_000, by_operator={"conv": 290_000_000}),
            count("torch", 310_000_000),
        ),
    ),
    "vit_toy": measurement(
        "vit_toy",
        counts=(
            count("fvcore", 1_250_000_000, by_operator=VIT_OPERATORS, uncounted={ATTENTION: 12, "aten::gelu": 12}),
            count("fvcore+", 1_350_000_000, by_operator={**VIT_OPERATORS, "scaled_dot_product_attention": 100_000_000}),
            count("torch", 1_350_000_000),
        ),
    ),
    "broken_net": Failure("broken_net", "build", "KeyError: 'stages'"),
    "at_hand": AT_HAND,
    "misfit": replace(MIXNET_M, name="misfit", config=CodeConfig()),
    "diverged": measurement("diverged", 4_000_000),
    "poisoned": measurement("poisoned", 4_000_000),
}
LISTING = Listing(
    names=(*MEASUREMENTS, "mixnet_l", *(f"net_{number}" for number in (4, 5, 6, 7, 8, 11))),
    published=("mixnet_s", "mixnet_m"),
)


def weight_file(name: str, size: int = 16_727_982, **fields: Any) -> WeightFile:
    values: dict[str, Any] = {"sha256": SHA256, "name_hash": "a907afbc", "entries": AT_HAND.state_dict} | fields
    return WeightFile(path=f"weights/{name}", format="legacy", size=size, **values)


_FILES: dict[str, dict[str, Any]] = {
    "at_hand": {},
    "misfit": {},
    "diverged": {"nonfinite": {"weight": 3}},
    "poisoned": {"entries": (), "problem": "its pickle would call os.system"},
}
WEIGHTS = {f"{name}-a907afbc.pth": weight_file(f"{name}-a907afbc.pth", **fields) for name, fields in _FILES.items()}
WEIGHTS["at_hand.pth"] = weight_file("at_hand.pth", name_hash=None)
LINKS = {
    "https://example.org/gone.pdf": LinkStatus("https://example.org/gone.pdf", 404),
    "https://example.org/paper.pdf": LinkStatus("https://example.org/paper.pdf", 200, 400_000),
    "https://example.org/mixnet_s-a907afbc.pth": LinkStatus(
        "https://example.org/mixnet_s-a907afbc.pth", 200, 16_727_982
    ),
}
SOURCES = {"models/mixnet.py": "@register\ndef mixnet_s():\n    return 1\n\n\n\n\n\ndef mixnet_m():\n    return 2\n"}
OTHER_FILES = {"cards/mixnet.md": "# Nothing here\n"}


def files_of(example: str) -> dict[str, str]:
    """The files that an example is about: a page, an index, or the entry of a model in an index."""
    if example.startswith(("#", "---")):
        return {"page.md": example}
    if example.startswith("- "):
        return {"model-index.yml": f"Models:\n{example}"}
    return {"model-index.yml": example}


def index_of(files: Mapping[str, str], root: Path) -> Index:
    """Write the files and load the first of them."""
    for path, text in {**OTHER_FILES, **files}.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", newline="")
    return load([root / next(iter(files))], root)


def context_of(index: Index, **fields: Any) -> Context:
    """A context in which everything is at hand."""
    values: dict[str, Any] = {
        "measurements": MEASUREMENTS,
        "listing": LISTING,
        "weights": WEIGHTS,
        "links": LINKS,
        "source_files": SOURCES,
        "missing_files": frozenset({"architecture.png"}),
    }
    return Context(index, **(values | fields))


def judged(text: str, root: Path, **fields: Any) -> Judged:
    """Everything that the rules say of one example."""
    return judge(context_of(index_of(files_of(text), root), **fields))


def findings(text: str, root: Path, code: str = "", **fields: Any) -> list[Finding]:
    """The findings of one rule, or of a family."""
    return [finding for finding in judged(text, root, **fields).findings if finding.code.startswith(code)]


def entry(field: str, value: str, name: str = "mixnet_s") -> str:
    """The entry of a model with one piece of metadata."""
    return f"- Name: {name}\n  Metadata:\n    {field}: {value}\n"


def verdict(text: str, root: Path, field: str, **fields: Any) -> Judgement:
    """The verdict on the only claim of a field."""
    found = [j for js in judged(text, root, **fields).judgements.values() for j in js if j.claim.field == field]
    (only,) = found
    return only
