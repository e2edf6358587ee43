"""Every notebook runs from top to bottom."""

import pytest

from tests.conftest import FULL, ROOT, SAMPLE

#: The cell before a notebook's first: a run of the sample is the one that all tests read, asked for by arguments that
#: the real function takes; a run as at another day is made, without the folders for teams and other systems. A surface
#: is judged by few points.
SHARED = """
import inspect, pickle
from pathlib import Path
import clearplan as cp

WRITTEN = {{"field": False, "formats": False}}

def shared(run):
    def same(*where, **asked):
        bound = inspect.signature(run).bind(*where, **asked)
        assert Path(bound.arguments["plan_path"]).samefile({plan!r})
        if "as_at" in asked:
            return run(*where, **asked | {{"change": asked.get("change", {{}}) | {{"outputs": WRITTEN}}}})
        if bound.arguments.get("out") is not None:
            Path(bound.arguments["out"]).symlink_to({folder!r})
        return pickle.loads(Path({stored!r}).read_bytes())
    return same

def quick(evaluate):
    def same(evidence, accidents, areas, fit):
        return evaluate(evidence, accidents, areas, fit.model_copy(update={{"background": 4_000, "bootstrap": 10}}))
    return same

cp.run_study, cp.plan_study = shared(cp.run_study), shared(cp.plan_study)
cp.evaluate = quick(cp.evaluate)
"""


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::RuntimeWarning")
def test_notebook_runs(path, sample):
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    if not FULL:
        folder = sample[1]
        names = {"plan": str(SAMPLE / "plan.toml"), "folder": str(folder), "stored": f"{folder.parents[1]}.pickle"}
        notebook.cells.insert(0, nbformat.v4.new_code_cell(SHARED.format(**names)))
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(path.parent)}})
    client.execute()
    if not FULL:
        del notebook.cells[0]
    outputs = [out for cell in notebook.cells if cell.cell_type == "code" for out in cell.outputs]
    assert not [out for out in outputs if out.output_type == "stream" and out.name == "stderr"], "it warns"
    pictures = [out for out in outputs if "image/png" in out.get("data", {})]
    assert len(pictures) >= 2
    keep = ROOT / "test-output"
    keep.mkdir(exist_ok=True)
    nbformat.write(notebook, keep / path.name)
