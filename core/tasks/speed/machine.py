"""The machine a number was measured on: what it is called, and how fast it multiplies and moves memory today."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

BF16_FLAGS = ("amx_bf16", "avx512_bf16")
"""Processor flags that say bfloat16 products have instructions of their own, the faster first."""


@dataclass(frozen=True)
class Machine:
    """``memory`` in GiB · ``bf16`` the instruction set for bfloat16 products, "" where there is none · ``gpu`` its
    name, "" without one."""

    processor: str
    cores: int
    memory: float
    bf16: str
    gpu: str
    python: str
    torch: str

    def words(self) -> str:
        """One line for people."""
        bf16 = self.bf16 or "no bf16 instructions"
        gpu = self.gpu or "no GPU"
        return (
            f"{self.processor}, {self.cores} cores ({bf16}), {self.memory:.0f} GiB, {gpu}, "
            f"Python {self.python}, torch {self.torch}"
        )


def this_machine() -> Machine:
    """Read from the system; what cannot be read is said so."""
    facts = cpu_facts(_text(Path("/proc/cpuinfo")))
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 0
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Machine(
        facts.get("model name") or platform.processor() or f"unnamed {platform.machine()} processor",
        cores,
        pages / 2**30,
        bf16_instructions(facts.get("flags", "")),
        torch.cuda.get_device_name() if torch.cuda.is_available() else "",
        platform.python_version(),
        torch.__version__,
    )


def cpu_facts(text: str) -> dict[str, str]:
    """The first processor of Linux's ``/proc/cpuinfo``; empty elsewhere."""
    lines = (line.partition(":") for line in text.split("\n\n")[0].splitlines())
    return {key.strip(): value.strip() for key, _, value in lines if key.strip()}


def bf16_instructions(flags: str) -> str:
    """The fastest of :data:`BF16_FLAGS` among a processor's flags, or ""."""
    known = flags.split()
    return next((flag for flag in BF16_FLAGS if flag in known), "")


def free_memory() -> float:
    """GiB that can be taken without swapping; infinite where the system does not say."""
    for line in _text(Path("/proc/meminfo")).splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) / 2**20
    return float("inf")


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


@dataclass(frozen=True)
class Rates:
    """What the machine reaches: FLOP/s of square products in fp32 and bf16, bytes/s of a copy (read plus written)."""

    fp32: float
    bf16: float
    bandwidth: float

    def best(self, other: Rates) -> Rates:
        """The faster of two measurements of each: a floor needs what the machine can do, not what it did once."""
        return Rates(max(self.fp32, other.fp32), max(self.bf16, other.bf16), max(self.bandwidth, other.bandwidth))

    def floor(self, flops: float, moved: float, bfloat16: bool = False) -> float:
        """Seconds below which no program gets: its products at full rate, or its bytes, whichever takes longer.

        What stays in the processor's cache between two stages need not cross the memory and can be faster.
        """
        return max(flops / (self.bf16 if bfloat16 else self.fp32), moved / self.bandwidth)


def measured_rates(side: int = 2048, megabytes: int = 256, repeats: int = 5, device: str = "cpu") -> Rates:
    """The best of ``repeats`` products of (side, side) matrices and copies of ``megabytes``, with torch's threads."""
    place = torch.device(device)
    rates = []
    for kind in (torch.float32, torch.bfloat16):
        a, b = (torch.randn(side, side, device=place).to(kind) for _ in range(2))
        rates.append(2 * side**3 / best_seconds(lambda a=a, b=b: torch.mm(a, b), repeats, device))  # type: ignore[misc]
    source = torch.ones(megabytes * 2**18, device=place)
    target = torch.empty_like(source)
    copied = best_seconds(lambda: target.copy_(source), repeats, device)
    return Rates(rates[0], rates[1], 2 * source.nbytes / copied)


def best_seconds(work: Callable[[], object], repeats: int, device: str = "cpu") -> float:
    """Seconds of the fastest repetition behind one that only warms up; a GPU is waited for."""
    found = []
    for turn in range(repeats + 1):
        wait_for(device)
        started = time.perf_counter()
        work()
        wait_for(device)
        if turn:
            found.append(time.perf_counter() - started)
    return min(found)


def wait_for(device: str) -> None:
    """Until the device has done what it was given; nothing on a CPU."""
    if device.startswith("cuda"):
        torch.cuda.synchronize()
