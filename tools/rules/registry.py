"""Every rule there is, in the order in which they are listed and explained."""

from __future__ import annotations

from tools.rules.citation import CITATION_RULES
from tools.rules.flops import FLOPS_RULES
from tools.rules.identity import IDENTITY_RULES
from tools.rules.index import INDEX_RULES
from tools.rules.links import LINKS_RULES
from tools.rules.page import PAGE_RULES
from tools.rules.parameters import PARAMETERS_RULES
from tools.rules.results import RESULTS_RULES
from tools.rules.rule import Rule
from tools.rules.weightfiles import WEIGHT_FILE_RULES
from tools.rules.weights import WEIGHTS_RULES

RULES: tuple[Rule, ...] = (
    *INDEX_RULES,
    *IDENTITY_RULES,
    *PARAMETERS_RULES,
    *FLOPS_RULES,
    *WEIGHTS_RULES,
    *WEIGHT_FILE_RULES,
    *RESULTS_RULES,
    *LINKS_RULES,
    *CITATION_RULES,
    *PAGE_RULES,
)

FAMILIES = {
    "IDX": "The index can be read",
    "MOD": "Identity and architecture",
    "PAR": "Parameters",
    "FLP": "FLOPs",
    "WTS": "Weight files",
    "RES": "Results",
    "LNK": "Links",
    "CIT": "Citations",
    "PAG": "Pages",
}
"""What each family of codes is about."""
