"""Engines: what runs the network. One interface; the fastest that is installed is chosen unless one is named.

============== ======================= ======================================== =========
name           runs on                 needs                                    numbers
============== ======================= ======================================== =========
torch-fp32     CPU                     nothing more                             float32
torch-bf16     CPU                     a CPU with bfloat16 instructions         bfloat16
onnx-fp32      CPU                     the extra ``onnx``                       float32
onnx-int8      CPU                     the extra ``onnx``                       int8
openvino-fp32  CPU                     the extra ``openvino``                   float32
openvino-bf16  CPU                     the extra ``openvino``, such a CPU       bfloat16
cuda-bf16      NVIDIA GPU              torch built for CUDA                     bfloat16
============== ======================= ======================================== =========

int8 is never chosen by itself: it is no faster than bfloat16 where the CPU has that, and it moves probabilities by up
to 0.2, since this encoder's feed-forward layers have a few channels far larger than the rest.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from stance.cpu import has_bf16
from stance.errors import MissingExtraError, ModelError, UsageError
from stance.model.exports import exported
from stance.model.graph import inference_graph
from stance.model.modeling import StanceModel

__all__ = ["ENGINES", "Batch", "Engine", "available_engines", "default_threads", "make_engine"]

Batch = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
"""``input_ids`` and ``attention_mask`` of shape ``(n, tokens)`` and ``marker_positions`` of shape ``(n, targets)``."""


class Engine(Protocol):
    """Runs batches through the network.

    Attributes
    ----------
    name
        One of `ENGINES`.
    version
        Library and version, for what is recorded with results.
    tokens_per_batch
        Padded tokens of a batch at which this engine is fastest.
    lanes
        How many batches run side by side.
    """

    name: str
    version: str
    tokens_per_batch: int
    lanes: int

    def run(self, batches: Sequence[Batch]) -> list[NDArray[np.float32]]:
        """Return the logits of each batch, shape ``(n, targets, labels)``, in the order of the batches."""
        ...

    def one(self, batch: Batch) -> NDArray[np.float32]:
        """Return the logits of a batch; as many threads may call this at once as there are lanes."""
        ...


class _Torch:
    lanes = 1

    def __init__(self, name: str, model: StanceModel, dtype: torch.dtype, device: str = "cpu") -> None:
        self.name = name
        self.version = f"torch {torch.__version__}"
        self.tokens_per_batch = 4096 if device == "cpu" else 65_536
        plain = dtype == torch.float32 and device == "cpu"
        # the float32 engine shares the model's weights, so that a model in training is always seen as it is
        self._graph = inference_graph(model if plain else _moved(model, device, dtype))

    def run(self, batches: Sequence[Batch]) -> list[NDArray[np.float32]]:
        found = []
        device = self._graph.model.device  # a shared model is elsewhere while it is trained on a GPU
        with torch.inference_mode():
            for batch in batches:
                ids, mask, markers = (torch.from_numpy(part).to(device) for part in batch)
                found.append(self._graph(ids, mask, markers))
            return [logits.float().cpu().numpy() for logits in found]

    def one(self, batch: Batch) -> NDArray[np.float32]:
        return self.run([batch])[0]


def _moved(model: StanceModel, device: str, dtype: torch.dtype) -> StanceModel:
    moved: Any = deepcopy(model)
    return moved.to(device=device, dtype=dtype)  # type: ignore[no-any-return]


class _Onnx:
    tokens_per_batch = 512

    def __init__(self, name: str, file: Path, threads: int) -> None:
        import onnxruntime

        self.name = name
        self.version = f"onnxruntime {onnxruntime.__version__}"
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # batches side by side, a core for each
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        self._names = [node.name for node in self._session.get_inputs()]
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="onnx")
        self.lanes = threads

    def run(self, batches: Sequence[Batch]) -> list[NDArray[np.float32]]:
        return list(self._pool.map(self.one, batches))

    def one(self, batch: Batch) -> NDArray[np.float32]:
        return np.asarray(self._session.run(None, dict(zip(self._names, batch, strict=True)))[0], dtype=np.float32)


class _OpenVino:
    tokens_per_batch = 1024

    def __init__(self, name: str, file: Path, threads: int) -> None:
        import openvino

        self.name = name
        self.version = f"openvino {version('openvino')}"
        options = {
            "INFERENCE_PRECISION_HINT": "f32" if name.endswith("fp32") else "bf16",
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": threads,  # batches side by side, a core for each: no time is lost waiting for one another
            "CACHE_DIR": str(file.parent / "compiled"),
        }
        compiled = openvino.Core().compile_model(str(file), "CPU", options)
        self._queue = openvino.AsyncInferQueue(compiled, threads)
        self._idle: SimpleQueue[Any] = SimpleQueue()  # requests of their own for `one`: the queue's serve one caller
        for _ in range(threads):
            self._idle.put(compiled.create_infer_request())
        self.lanes = threads

    def run(self, batches: Sequence[Batch]) -> list[NDArray[np.float32]]:
        found: list[NDArray[np.float32]] = [np.empty(0, dtype=np.float32)] * len(batches)

        def keep(request: Any, index: int) -> None:
            found[index] = request.get_output_tensor(0).data.astype(np.float32, copy=True)

        self._queue.set_callback(keep)
        for index, batch in enumerate(batches):
            self._queue.start_async(dict(enumerate(batch)), index)
        self._queue.wait_all()
        return found

    def one(self, batch: Batch) -> NDArray[np.float32]:
        request = self._idle.get()
        try:
            request.infer(dict(enumerate(batch)), share_inputs=True)
            return np.array(request.get_output_tensor(0).data, dtype=np.float32)
        finally:
            self._idle.put(request)


def default_threads() -> int:
    """Return how many threads engines use: ``OMP_NUM_THREADS`` if set, else the cores this process may run on."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    if asked.isdigit() and int(asked) > 0:
        return int(asked)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _has_onnx() -> bool:
    return all(find_spec(name) is not None for name in ("onnx", "onnxruntime"))


def _has_openvino() -> bool:
    return find_spec("openvino") is not None


def _always() -> bool:
    return True


_Check = Callable[[], bool]
ENGINES: dict[str, tuple[str | None, _Check, _Check]] = {
    "cuda-bf16": (None, _always, torch.cuda.is_available),
    "openvino-bf16": ("openvino", _has_openvino, has_bf16),
    "torch-bf16": (None, _always, has_bf16),
    "openvino-fp32": ("openvino", _has_openvino, _always),
    "onnx-fp32": ("onnx", _has_onnx, _always),
    "torch-fp32": (None, _always, _always),
    "onnx-int8": ("onnx", _has_onnx, _always),
}
"""Every engine, fastest first: its extra, whether that is installed, whether the machine can run it."""


def available_engines() -> list[str]:
    """Return the engines that are installed and that this machine can run, fastest first, int8 last."""
    return [name for name, (_, installed, able) in ENGINES.items() if installed() and able()]


def make_engine(name: str | None, model: StanceModel, content_hash: str, *, threads: int | None = None) -> Engine:
    """Return an engine for a model.

    Parameters
    ----------
    name
        One of `ENGINES`; ``None`` takes the fastest that works, and warns if a faster one cannot be set up.
    model
        The network.
    content_hash
        Hash of the model folder: the exported graph is cached under it. ``"unsaved"`` is never cached.
    threads
        Cores used; `default_threads` if not given.

    Raises
    ------
    UsageError
        If there is no such engine, or this machine cannot run it.
    MissingExtraError
        If its extra is not installed.
    ModelError
        If the encoder cannot be exported.
    """
    threads = threads or default_threads()
    if name is not None:
        _check(name)
        return _built(name, model, content_hash, threads)
    refused: list[str] = []
    for candidate in (n for n in available_engines() if not n.endswith("int8")):
        try:
            made = _built(candidate, model, content_hash, threads)
        except ModelError as error:  # no export, or no cache to keep it in: torch, the last of them, needs neither
            refused.append(f"{candidate} cannot: {error}")
            continue
        if refused:
            warnings.warn(f"the slower engine {made.name} runs the model, {refused[0]}", stacklevel=2)
        return made
    raise ModelError("no engine can run this model")


def _check(name: str) -> None:
    if name not in ENGINES:
        raise UsageError(f"unknown engine {name!r}; known: {', '.join(sorted(ENGINES))}")
    extra, installed, able = ENGINES[name]
    if not installed():
        raise MissingExtraError(f"engine {name}", extra or "")
    if not able():
        what = "a CUDA device" if name.startswith("cuda") else "a CPU with bfloat16 instructions"
        raise UsageError(f"engine {name} needs {what}; here there are: {', '.join(available_engines())}")


def _built(name: str, model: StanceModel, content_hash: str, threads: int) -> Engine:
    library, _, numbers = name.partition("-")
    if library == "cuda":
        return _Torch(name, model, torch.bfloat16, "cuda")
    if library == "torch":
        return _Torch(name, model, torch.bfloat16 if numbers == "bf16" else torch.float32)
    file = exported(model, content_hash, library, "int8" if numbers == "int8" else "fp32")
    made = _Onnx if library == "onnx" else _OpenVino
    try:
        return made(name, file, threads)
    except Exception as error:  # each library raises its own classes
        raise ModelError(f"engine {name} cannot load {file}: {error}; delete that folder to export again") from error
