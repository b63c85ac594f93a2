"""What `make lab` tells Jupyter: notebooks are saved without outputs, for these hold what patients wrote."""

from typing import Any

c = get_config()  # type: ignore[name-defined] # noqa: F821 - Jupyter reads this file and provides it


def without_outputs(model: dict[str, Any], **_more: Any) -> None:
    """Take outputs, the order of execution and the machine's metadata out of a notebook that is about to be saved."""
    if model["type"] != "notebook" or model["content"]["nbformat"] != 4:
        return
    notebook = model["content"]
    notebook["metadata"] = {name: value for name, value in notebook["metadata"].items() if name == "kernelspec"}
    for cell in notebook["cells"]:
        cell["metadata"] = {}
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None


c.ContentsManager.pre_save_hook = without_outputs
# Nothing is asked of the network.
c.LabApp.news_url = None
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
