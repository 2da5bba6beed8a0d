"""Exported graphs: made once for each model and library version, kept in the user's cache folder.

The folder is ``$STANCE_CACHE``, else ``$XDG_CACHE_HOME/stance``, else ``~/.cache/stance``. A graph is written under a
temporary name and renamed: a run that is killed leaves none half written, and two runs never disturb each other.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import torch

from stance.errors import ModelError
from stance.model.graph import InferenceGraph, inference_graph
from stance.model.modeling import StanceModel

__all__ = ["cache_folder", "exported"]

_GRAPH = 2
"""Version of the exported graph; counted up when `stance.model.graph` changes."""
_INPUTS = ("input_ids", "attention_mask", "marker_positions")
_FILES = {"onnx": "model.onnx", "openvino": "model.xml"}


def cache_folder() -> Path:
    """Return the folder that exported graphs are kept in."""
    own = os.environ.get("STANCE_CACHE")
    if own:
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "stance"


def exported(model: StanceModel, content_hash: str, library: str, numbers: str) -> Path:
    """Return the file of a model's exported graph, exporting it if it is not in the cache.

    Parameters
    ----------
    model
        The network.
    content_hash
        Hash of the model folder; ``"unsaved"`` exports into a fresh folder each time.
    library
        ``onnx`` or ``openvino``.
    numbers
        ``fp32`` or ``int8``.

    Raises
    ------
    ModelError
        If the encoder cannot be exported, or the cache folder cannot be written.
    """
    root = cache_folder() / "graphs"
    tools = f"{library}{version(library)}-torch{torch.__version__.partition('+')[0]}"
    folder = root / f"{content_hash}-{numbers}-v{_GRAPH}-{tools}"
    file = folder / _FILES[library]
    if content_hash != "unsaved" and file.is_file():
        return file
    try:
        root.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=root))
    except OSError as error:
        message = f"{root}: cannot write exported graphs: {error.strerror or error}; set STANCE_CACHE to another folder"
        raise ModelError(message) from error
    try:
        _export(model, partial / _FILES[library], library, numbers)
    except Exception as error:  # tracers raise anything
        shutil.rmtree(partial, ignore_errors=True)
        message = f"this encoder ({model.encoder.config.model_type}) cannot be exported for {library}: {error}"
        raise ModelError(f"{message}; the engines torch-fp32 and torch-bf16 run every encoder") from error
    if content_hash == "unsaved":
        return partial / _FILES[library]
    try:
        os.rename(partial, folder)
    except OSError:  # another run was faster
        shutil.rmtree(partial, ignore_errors=True)
    return file


def _export(model: StanceModel, file: Path, library: str, numbers: str) -> None:
    graph = inference_graph(model)
    example = (
        torch.ones(2, 16, dtype=torch.long),
        torch.ones(2, 16, dtype=torch.long),
        torch.tensor([[8, 10, 12], [8, 10, 12]]),
    )
    makers: dict[str, Callable[[InferenceGraph, tuple[torch.Tensor, ...], Path], None]] = {
        "onnx": _export_onnx,
        "openvino": _export_openvino,
    }
    with _quiet(), torch.no_grad():
        makers[library](graph, example, file)
        if numbers == "int8":
            _to_int8(file)


def _export_onnx(graph: InferenceGraph, example: tuple[torch.Tensor, ...], file: Path) -> None:
    torch.onnx.export(
        graph,
        example,
        str(file),
        input_names=list(_INPUTS),
        output_names=["logits"],
        dynamic_axes={name: {0: "batch", 1: "targets" if "marker" in name else "tokens"} for name in _INPUTS},
        opset_version=17,
        dynamo=False,  # the newer exporter takes ten times as long and its graph ran a sixth slower
    )


def _export_openvino(graph: InferenceGraph, example: tuple[torch.Tensor, ...], file: Path) -> None:
    import openvino

    converted = openvino.convert_model(graph, example_input=example)
    for port, name in zip(converted.inputs, _INPUTS, strict=True):
        port.get_tensor().set_names({name})
    openvino.save_model(converted, str(file), compress_to_fp16=False)


def _to_int8(file: Path) -> None:
    """Turn weights into int8, a scale for each output channel; activations are scaled as the graph runs."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    plain = file.with_name("plain.onnx")
    file.rename(plain)
    quantize_dynamic(
        plain,
        file,
        weight_type=QuantType.QInt8,
        per_channel=True,
        op_types_to_quantize=["MatMul", "Gemm"],
        extra_options={"MatMulConstBOnly": True},
    )
    plain.unlink()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporters' advice to their own developers off the user's terminal."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
