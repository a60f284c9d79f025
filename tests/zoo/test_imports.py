"""What a fresh interpreter loads."""

from __future__ import annotations

import json
import subprocess
import sys

SCRIPT = """
import json, sys
import zoo, zoo.hub, zoo.preprocess
names = zoo.list_models()
infos = [zoo.model_info(name) for name in names]
assert infos[0].weights.hash_prefix and infos[0].stages
zoo.preprocess.transform(infos[0])
zoo.hub.default_cache_dir()
print(json.dumps(sorted(sys.modules)))
"""


def test_names_infos_and_settings_load_no_heavy_library() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert "zoo.variants" in loaded
    assert not loaded & {"torch", "numpy", "PIL", "requests", "urllib3", "filelock", "rich", "fvcore"}
    assert not {name for name in loaded if name.split(".")[0] == "tools"}
