"""What this machine's CPU can do."""

from __future__ import annotations

from functools import cache
from pathlib import Path

__all__ = ["has_bf16", "has_vnni"]


@cache
def has_bf16() -> bool:
    """Tell whether the CPU multiplies bfloat16 matrices in hardware (AVX512-BF16, AMX, Arm BF16)."""
    return bool({"avx512_bf16", "amx_bf16", "bf16"} & _flags())


@cache
def has_vnni() -> bool:
    """Tell whether the CPU multiplies 8-bit matrices in hardware (AVX512-VNNI, AVX-VNNI, AMX)."""
    return bool({"avx512_vnni", "avx_vnni", "amx_int8"} & _flags())


def _flags() -> set[str]:
    try:
        info = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return set()
    return set(next((x for x in info.splitlines() if x.lower().startswith(("flags", "features"))), "").split())
