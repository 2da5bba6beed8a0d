"""What this machine's CPU can do."""

from __future__ import annotations

from functools import cache
from pathlib import Path

__all__ = ["has_bf16"]


@cache
def has_bf16() -> bool:
    """Tell whether the CPU multiplies bfloat16 matrices in hardware (AVX512-BF16, AMX, Arm BF16)."""
    try:
        info = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    line = next((x for x in info.splitlines() if x.lower().startswith(("flags", "features"))), "")
    return bool({"avx512_bf16", "amx_bf16", "bf16"} & set(line.split()))
