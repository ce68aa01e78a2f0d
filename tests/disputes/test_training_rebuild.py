"""What ships is built again bit for bit: in another process, with another order of sets and dictionaries."""

import os
import subprocess
import sys
from pathlib import Path

from disputes.classifier import shipped_examples

BUILD = """
import sys
from pathlib import Path
from disputes.classifier import save_model, shipped_examples, train
save_model(train(shipped_examples()[::25]), Path(sys.argv[1]))
"""


def built(path: Path, seed: str) -> bytes:
    environment = os.environ | {"PYTHONHASHSEED": seed}
    subprocess.run([sys.executable, "-c", BUILD, str(path)], env=environment, check=True, timeout=120)
    return path.read_bytes()


def test_two_processes_build_the_same_bytes(tmp_path: Path) -> None:
    assert built(tmp_path / "one.npz", "1") == built(tmp_path / "two.npz", "2")


def test_every_file_of_the_training_folder_is_learned_from() -> None:
    examples = shipped_examples()
    assert len(examples) == len({id(example) for example in examples})
    folder = Path(__file__).parents[2] / "disputes" / "training"
    rows = sum(len([line for line in path.read_text("utf-8").splitlines() if line]) for path in folder.glob("*.jsonl"))
    assert len(examples) == rows
