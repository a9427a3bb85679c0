"""How fast a training step of both presets is, beside a textbook loop and beside what the machine allows.

Usage: python benchmarks/training.py [--device cpu] [--width 16] [--batch 49] [--repeats 5] [--variants NAME ...]
       [--skip_memory] [--output FILE]

All variants run in one process in turn, and each is compared with the textbook loop of the same precision and the same
repetition. A cycle is five updates of the critic and one of the generator, for the relativistic preset, too, which trains
with one of each. On a CPU (Linux), memory is measured in fresh processes.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

import torch
from machine_limits import (
    MachineLimits,
    WorkCounter,
    convolution_operations,
    critic_step_operations,
    generator_step_operations,
    idle_share,
    measure_limits,
    synchronise,
)
from torch import Tensor
from training_variants import CRITIC_UPDATES, LATENT_SIZE, VARIANTS, Loop, Variant, build

from monai_cardiac_gan.data import CachedPatches, ResumableBatches
from monai_cardiac_gan.engines import GenerativeAdversarialTrainer
from monai_cardiac_gan.networks.nets import PatchCritic, PatchGenerator

CYCLES_OF_A_RUN = 2
"""Length of the runs that measure what is not computed in the steps."""
SETTINGS = ("OMP_NUM_THREADS", "THP_MEM_ALLOC_ENABLE", "MALLOC_MMAP_MAX_", "MALLOC_TRIM_THRESHOLD_", "MALLOC_TOP_PAD_")
"""Variables of the environment that change the figures."""
TO_MB = 1e-6
TO_GIGA = 1e-9


@dataclass(frozen=True)
class Seconds:
    """Seconds of one update of either player, of a cycle, and what all cores worked in that cycle."""

    critic: float
    generator: float
    cycle: float
    processor: float


def time_cycle(loop: Loop, device: torch.device) -> Seconds:
    """Time one cycle."""
    synchronise(device)
    worked, start = time.process_time(), time.perf_counter()
    for _ in range(CRITIC_UPDATES):
        loop.critic_step()
    synchronise(device)
    between = time.perf_counter()
    loop.generator_step()
    synchronise(device)
    end = time.perf_counter()
    return Seconds((between - start) / CRITIC_UPDATES, end - between, end - start, time.process_time() - worked)


def time_in_turn(loops: dict[str, Loop], repeats: int, device: torch.device) -> dict[str, list[Seconds]]:
    """Time each loop as often as asked, one after the other, after a first round that does not count."""
    rounds = [{name: time_cycle(loop, device) for name, loop in loops.items()} for _ in range(repeats + 1)]
    return {name: [each[name] for each in rounds[1:]] for name in loops}


def speed_of(timings: Sequence[Seconds], textbook: Sequence[Seconds], batch: int) -> dict[str, float]:
    """Medians over the repetitions; ratios are taken within each."""

    def ratio(name: str) -> float:
        return median(getattr(own, name) / getattr(other, name) for own, other in zip(timings, textbook, strict=True))

    return {
        "critic, images/s": batch / median(each.critic for each in timings),
        "generator, images/s": batch / median(each.generator for each in timings),
        "cycle, reals/s": CRITIC_UPDATES * batch / median(each.cycle for each in timings),
        "critic / textbook": ratio("critic"),
        "generator / textbook": ratio("generator"),
        "cycle / textbook": ratio("cycle"),
        "processor time / textbook": ratio("processor"),
    }


def limits_of(loop: Loop, cycle: float, rate: float, limits: MachineLimits) -> dict[str, float]:
    """What a cycle has to compute, and which share of the machine's limits it reaches in that many seconds."""
    counters = []
    for step, times, period in ((loop.critic_step, CRITIC_UPDATES, loop.period), (loop.generator_step, 1, 1)):
        with WorkCounter() as counter:
            for _ in range(period):
                step()
        counters.append((counter, times / period))
    operations = sum(counter.operations * times for counter, times in counters)
    return {
        "GFLOP of a cycle": operations * TO_GIGA,
        "GB moved by a cycle": sum(counter.bytes * times for counter, times in counters) * TO_GIGA,
        "of the matrix product": operations / cycle / rate,
        "of the roofline": sum(counter.seconds(limits) * times for counter, times in counters) / cycle,
    }


class RandomPatches:
    """Stands in for a patch set of that many patches."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def all_patches(self) -> Tensor:
        """The patches (N, 1, 128, 128), half precision, in [-1, 1]."""
        return (torch.rand(self.count, 1, 128, 128) * 2 - 1).half()


def feed(trainer: GenerativeAdversarialTrainer, batch: int, device: torch.device) -> None:
    """Let the trainer's next run be some cycles over patches in memory."""
    patches: Any = RandomPatches(CYCLES_OF_A_RUN * CRITIC_UPDATES * batch)
    trainer.data_loader = CachedPatches(patches, ResumableBatches(patches, batch), device=device)
    trainer.state.epoch_length = None


def engine_share(trainer: GenerativeAdversarialTrainer, device: torch.device) -> float:
    """Share of a run's time outside the steps: loader, engine, events. A GPU is waited for, so that it is a bound there."""
    inside, steps = [], ("_update_critic", "_update_generator")

    def timed(step: Callable[..., None]) -> Callable[..., None]:
        def run(*arguments: Any) -> None:
            synchronise(device)
            start = time.perf_counter()
            step(*arguments)
            synchronise(device)
            inside.append(time.perf_counter() - start)

        return run

    for name in steps:
        setattr(trainer, name, timed(getattr(trainer, name)))
    start = time.perf_counter()
    trainer.run()
    whole = time.perf_counter() - start
    for name in steps:
        delattr(trainer, name)
    return 1 - sum(inside) / whole


def gpu_idle_share(trainer: GenerativeAdversarialTrainer) -> float:
    """Share of a run, data loader included, in which the GPU computes and copies nothing."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
        trainer.run()
        torch.cuda.synchronize()
    on_gpu = [event for event in profile.events() or [] if event.device_type == torch.autograd.DeviceType.CUDA]
    busy = [event.time_range for event in on_gpu if not event.is_user_annotation]
    return idle_share((interval.start, interval.end) for interval in busy)


def peak_memory(variant: Variant, width: int, batch: int, device: torch.device) -> int:
    """Most bytes held while both players are updated once; on a CPU, by all that the process did."""
    loop = build(variant, width, batch, device)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    loop.critic_step()
    loop.generator_step()
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()  # getrusage would add the parent's
    (peak,) = (line.split()[1] for line in lines if line.startswith("VmHWM"))
    return int(peak) * 1024


def memory_of_sample(variant: Variant, width: int, batch: int, device: torch.device) -> float:
    """MB by which the peak grows with each sample, from half the batch to the whole."""
    peaks = []
    for size in (batch // 2, batch):
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as fresh:
            peaks.append(fresh.submit(peak_memory, variant, width, size, device).result())
    return (peaks[1] - peaks[0]) / (batch - batch // 2) * TO_MB


def closed_form(width: int, batch: int) -> int:
    """Operations of the convolutions in a cycle of the trainer."""
    generator = convolution_operations(PatchGenerator(LATENT_SIZE, width), torch.zeros(2, LATENT_SIZE))
    critic = convolution_operations(PatchCritic(width), torch.zeros(2, 1, 128, 128))
    of_two = CRITIC_UPDATES * critic_step_operations(generator, critic) + generator_step_operations(generator, critic)
    return of_two * batch // 2


def chosen(names: Sequence[str], device: torch.device) -> dict[str, Variant]:
    """The variants of these names that the device can run, and the textbook loop of each precision among them."""
    wanted = [variant for variant in VARIANTS if variant.name in names and device.type in variant.devices]
    dtypes = {variant.dtype for variant in wanted}
    return {
        variant.name: variant
        for variant in VARIANTS
        if variant in wanted or (variant.execution is None and variant.dtype in dtypes)
    }


def measure(
    names: Sequence[str], device: torch.device, width: int, batch: int, repeats: int, memory: bool = True
) -> dict[str, Any]:
    """All figures; variants that cannot run here come with the reason. Without `memory` no fresh processes are started."""
    loops, failed = {}, {}
    for name, variant in (variants := chosen(names, device)).items():
        try:
            loops[name] = build(variant, width, batch, device)
            loops[name].generator_step()
        except Exception as error:
            if variant.execution is None or variant.execution.compile_mode is None:
                raise
            # a compiler raises what it likes
            failed[name] = f"{type(error).__name__}: {error}"
            loops.pop(name, None)
    timings = time_in_turn(loops, repeats, device)
    limits = measure_limits(device, {torch.float32} | {variants[name].dtype for name in loops})
    rows = []
    for name, loop in loops.items():
        variant, cycle = variants[name], median(each.cycle for each in timings[name])
        (textbook,) = (n for n in loops if variants[n].execution is None and variants[n].dtype == variant.dtype)
        row: dict[str, Any] = {"variant": name} | speed_of(timings[name], timings[textbook], batch)
        eager = build(variant.eager(), width, batch, device)
        row |= limits_of(eager, cycle, limits.operations[variant.dtype], limits)
        row["MB of a sample"] = memory_of_sample(variant, width, batch, device) if memory else None
        row |= dict.fromkeys(("outside the steps", "GPU idle"))
        if loop.trainer is not None:
            feed(loop.trainer, batch, device)
            row["outside the steps"] = engine_share(loop.trainer, device)
            row["GPU idle"] = gpu_idle_share(loop.trainer) if device.type == "cuda" else None
        rows.append(row)
    return {
        "matrix product, GFLOP/s": {str(dtype): rate * TO_GIGA for dtype, rate in limits.operations.items()},
        "copy, GB/s": limits.bytes * TO_GIGA,
        "convolutions of the trainer's cycle by closed form, GFLOP": closed_form(width, batch) * TO_GIGA,
        "rows": rows,
        "failed": failed,
        "seconds": {name: [asdict(each) for each in times] for name, times in timings.items()},
    }


def format_table(rows: Sequence[dict[str, Any]]) -> str:
    """Rows as a Markdown table, numbers with three digits.

    Example:
        >>> print(format_table([{"variant": "textbook", "reals/s": 12.345, "GPU idle": None}]))
        | variant | reals/s | GPU idle |
        | --- | --- | --- |
        | textbook | 12.3 | - |
    """

    def cell(value: str | float | None) -> str:
        return "-" if value is None else value if isinstance(value, str) else f"{value:.3g}"

    lines = [list(rows[0]), ["---"] * len(rows[0]), *([cell(value) for value in row.values()] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Print a table and, if asked, write all figures as JSON."""
    names = [variant.name for variant in VARIANTS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--batch", type=int, default=49)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--variants", nargs="+", choices=names, default=names)
    parser.add_argument("--skip_memory", action="store_true")
    parser.add_argument("--output", type=Path)
    arguments = vars(parser.parse_args())
    output, device = arguments.pop("output"), torch.device(arguments["device"])
    sizes = (arguments["width"], arguments["batch"], arguments["repeats"])
    figures = measure(arguments["variants"], device, *sizes, memory=not arguments["skip_memory"])
    machine = {"torch": torch.__version__, "threads": torch.get_num_threads(), "cores": os.cpu_count()}
    settings = {name: os.environ.get(name) for name in SETTINGS}
    print(format_table(figures["rows"]))
    print("\n".join(f"{name}: cannot run here, {reason}" for name, reason in figures["failed"].items()))
    if output:
        whole = {"arguments": arguments, "machine": machine, "environment": settings} | figures
        output.write_text(json.dumps(whole, indent=4) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
