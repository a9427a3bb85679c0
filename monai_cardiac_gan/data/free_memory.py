"""How much memory a process may still take: of a GPU, of the machine, or of the container that it runs in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import torch

__all__ = ["free_bytes"]

CGROUP = Path("/sys/fs/cgroup")
"""Where Linux shows control groups; a container may see its own as the root."""
OWN_GROUPS = Path("/proc/self/cgroup")
"""Lines ``number:controllers:path`` of the groups that this process is in."""
MEMORY = "memory"
STAT = "memory.stat"
LIMIT_USED_CACHE = (
    ("memory.max", "memory.current", "inactive_file"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)
"""Files of limit and use, and the entry of ``memory.stat`` with cache that Linux gives back; version 2, then version 1."""


def free_bytes(device: torch.device | str) -> int:
    """Memory that is free on a GPU, or for this process on the CPU, bytes.

    On the CPU that is what the machine can give, or what the limits of this process's control groups leave (Docker,
    Kubernetes, Slurm; Linux cgroups of version 1 and 2), whichever is least: a process that takes more is killed. Cached files
    count as free, because Linux drops them first.
    """
    device = torch.device(device)
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return min([int(psutil.virtual_memory().available), *_left_in_groups()])


def _left_in_groups() -> Iterator[int]:
    """What each group that the process is in, and each group around it, leaves; nothing for one without a limit."""
    for folder in _groups():
        for limit, used, cache in LIMIT_USED_CACHE:
            try:
                most, now = ((folder / name).read_text().strip() for name in (limit, used))
                given_back = _entry((folder / STAT).read_text(), cache) if (folder / STAT).exists() else 0
                if most.isdigit():  # else "max", no limit
                    yield max(0, int(most) - max(0, int(now) - given_back))
            except (OSError, ValueError):  # another version, another system, or a file that may not be read
                continue


def _groups() -> list[Path]:
    """Folders of the process's groups for memory, from its own up to the root."""
    found = [CGROUP, CGROUP / MEMORY]
    lines = OWN_GROUPS.read_text().splitlines() if OWN_GROUPS.exists() else []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        root = CGROUP / MEMORY if MEMORY in controllers.split(",") else CGROUP if not controllers else None
        if root is not None:
            own = root / path.lstrip("/")
            found += [own, *(each for each in own.parents if each.is_relative_to(root))]
    return list(dict.fromkeys(found))


def _entry(stat: str, name: str) -> int:
    return next((int(line.split()[1]) for line in stat.splitlines() if line.startswith(f"{name} ")), 0)
