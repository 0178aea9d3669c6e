"""A digest of schedules as they were loaded, whatever file or code they came from."""

from __future__ import annotations

from tilegrad.fingerprint.digests import array_digest
from tilegrad.schedules.schedules import Schedules


def schedules_digest(found: Schedules) -> str:
    """Return the digest of rows, their groups and all that was measured; names do not matter."""
    tensors = [found.nests.temporal, found.nests.spatial, found.nests.order]
    tensors += [found.bounds, found.strides, found.layer, found.machine]
    tensors += [*found.hardware.values(), *found.targets.values()]
    if found.network is not None:
        tensors.append(found.network)
    if found.calls is not None:
        tensors.append(found.calls)
    return array_digest(tensor.contiguous().numpy() for tensor in tensors)
