"""Gemmini's library executed in plain loops, one tile after another, counting as it goes.

Nothing is shared with the closed forms but the names of the counts.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from statistics import fmean

LINE, PAGE, WORD = 64, 4096, 4


@dataclass(frozen=True)
class Axis:
    """One axis of an image: its outputs, the inputs in memory, the padding before them."""

    outputs: int
    inputs: int
    padding: int
    stride: int
    dilation: int

    def extent(self, outputs: int, taps: int) -> int:
        return outputs * self.stride + (taps - 1) * self.dilation

    def read(self, outputs: tuple[int, int], taps: tuple[int, int]) -> int:
        """Return the inputs in memory that a tile loads, in 16 bits without a sign."""
        first = outputs[0] * self.stride + taps[0] * self.dilation - self.padding
        extent = self.extent(outputs[1], taps[1])
        before = max(0, -first)
        after = max(0, first + extent - self.inputs)
        left = extent - before - after
        return left if left >= 0 else left + 2**16


@dataclass(frozen=True)
class Program:
    """What the library is called with on an array of ``mesh``: sizes by dim (RSPQCKN).

    ``held`` are the blocks of a product's tile (rows, filters, channels), None for a convolution,
    ``axes`` those of its images along P and Q. ``current`` libraries keep what has two tiles at
    most, and put several pixels of few channels in a row of the array.
    """

    bounds: dict[str, int]
    tile: dict[str, int]
    mesh: int
    held: tuple[int, int, int] | None
    axes: tuple[Axis, Axis]
    current: bool = False
    biased: bool = False
    bus: int = 16

    @property
    def begin(self) -> int:
        """Bytes past a line at which a convolution's tensors begin."""
        return 0 if self.current else 8

    def pixels(self, taps: int, channels: int) -> int:
        """Return how many neighbouring pixels share a row of the array."""
        if not self.current or channels > self.mesh or self.axes[0].dilation > 1:
            return 1
        return min(taps, self.mesh // channels)

    def kept(self, counts: dict[str, int]) -> tuple[bool, bool]:
        """Return whether inputs stay for the tiles of filters, and weights for those of pixels."""
        sums = math.prod(counts[dim] for dim in "CRS")
        positions = math.prod(counts[dim] for dim in "NPQ")
        return self.current and positions * sums <= 2, self.current and counts["K"] * sums <= 2


def published(
    bounds: dict[str, int], tile: dict[str, int], strides: tuple[int, int, int, int], mesh: int
) -> Program:
    """Return the program of the published measurements for a layer and a mapping's tile."""
    b, t = bounds, tile
    held = None
    if b["R"] == b["S"] == 1 and 1 in (b["P"], b["Q"]):
        # Sizes of tiles are in blocks, sixteenths of the mapping's.
        sizes = (t["P"] * t["Q"] * t["N"], t["K"], t["C"])
        held = (max(1, sizes[0] // 16), max(1, sizes[1] // 16), max(1, sizes[2] // 16))
    wide, high, wide_dilation, high_dilation = strides
    axes = (
        _padded(b["P"], b["R"], wide, wide_dilation),
        _padded(b["Q"], b["S"], high, high_dilation),
    )
    return Program(bounds, tile, mesh, held, axes)


def _padded(bound: int, kernel: int, stride: int, dilation: int) -> Axis:
    # Padded by half the kernel at either end, an even kernel has one output more.
    more = 1 if kernel > 1 and kernel % 2 == 0 else 0
    return Axis(bound + more, bound * stride, kernel // 2, stride, dilation)


def simulated(program: Program) -> Counter[str]:
    """Return the counts over all tiles, and the bytes that the first tile occupies."""
    return _convolution(program) if program.held is None else _product(program, program.held)


def requests(place: int, length: int, piece: int, bus: int = 16) -> list[int]:
    """Return the bytes of the DMA's requests for a run of ``length`` bytes from ``place``.

    Commands move ``piece`` bytes of it. A request is 16, 32 or 64 bytes, aligned to its own size:
    the smallest of those that bring most; none is less than the ``bus`` moves at once.
    """
    found = []
    for start in range(0, length, piece):
        here, end = place + start, place + min(start + piece, length)
        while here < end:
            size, reached = 0, here
            for each in (each for each in (8, 16, 32, 64) if each >= bus):
                upto = min((here // each + 1) * each, end)
                if upto > reached:
                    size, reached = each, upto
            found.append(size)
            here = reached
    return found


@cache
def moved(
    length: int, pitch: int, piece: int, bus: int = 16, begin: int = 0
) -> tuple[float, float]:
    """Return the mean requests and beats of runs that begin anywhere a tile's may, in a line.

    The tensor begins ``begin`` bytes past one.
    """
    places = range(begin, begin + LINE, math.gcd(length, pitch, LINE))
    cuts = [requests(place, length, piece, bus) for place in places]
    return fmean(len(cut) for cut in cuts), fmean(sum(cut) / bus for cut in cuts)


def spans(bound: int, size: int) -> list[tuple[int, int]]:
    """Return begin and size of the tiles of a dim, the last one as long as is left."""
    return [(begin, min(size, bound - begin)) for begin in range(0, bound, size)]


def blocks(size: int, block: int) -> list[int]:
    """Return the sizes of the blocks that hold ``size``."""
    return [length for _, length in spans(size, block)]


Span = tuple[int, int]


def _tiles(program: Program, wide: Axis, high: Axis) -> Iterator[dict[str, Span]]:
    bounds = {**program.bounds, "P": wide.outputs, "Q": high.outputs}
    each = [spans(bounds[dim], program.tile[dim]) for dim in "NPQKCRS"]
    for found in product(*each):
        yield dict(zip("NPQKCRS", found, strict=True))


def _convolution(program: Program) -> Counter[str]:
    wide, high = program.axes
    total: Counter[str] = Counter()
    tiles = list(_tiles(program, wide, high))
    counts = {dim: len({tile[dim] for tile in tiles}) for dim in tiles[0]}
    inputs_stay, weights_stay = program.kept(counts)
    for tile in tiles:
        size = {dim: span[1] for dim, span in tile.items()}
        if not (inputs_stay and tile["K"][0]):
            _load_inputs(total, program, size, _pixels_in_memory(tile, wide, high))
        if not (weights_stay and any(tile[dim][0] for dim in "NPQ")):
            _load_weights(total, program, size)
        _execute(total, program, size)
        if not any(tile[dim][0] for dim in "CRS"):
            _zero(total, program, size)
        if all(sum(tile[dim]) == program.bounds[dim] for dim in "CRS"):
            _store(total, program, size)
        total["tiles"] += 1
    rows = [total.pop(f"{of}_of_windows") for of in ("rows", "pixels")]
    total["input_moves"] = max(rows[0], rows[1] / program.mesh)
    _occupy(total, program, wide, high)
    return total


def _pixels_in_memory(tile: dict[str, Span], wide: Axis, high: Axis) -> int:
    return wide.read(tile["P"], tile["R"]) * high.read(tile["Q"], tile["S"])


def _page_changes(pitch: int) -> float:
    """Return how often the next row is on another page."""
    return min(1.0, pitch / PAGE)


def _load_inputs(total: Counter[str], program: Program, size: dict[str, int], seen: int) -> None:
    pitch, rows = program.bounds["C"], size["N"] * seen
    request, beat = moved(size["C"], pitch, LINE, program.bus, program.begin)
    total["input_requests"] += rows * request
    total["input_beats"] += rows * beat
    total["input_pages"] += rows * len(blocks(size["C"], LINE)) * _page_changes(pitch)
    wide, high = program.axes
    window = wide.extent(size["P"], size["R"]) * high.extent(size["Q"], size["S"])
    images = size["N"] * len(blocks(size["C"], LINE))
    total["rows_of_windows"] += images * high.extent(size["Q"], size["S"])
    total["pixels_of_windows"] += images * window
    held = len(blocks(size["C"], program.mesh)) * program.pixels(size["R"], size["C"])
    total["input_rows"] += size["N"] * window * held


def _load_weights(total: Counter[str], program: Program, size: dict[str, int]) -> None:
    pitch, rows = program.bounds["K"], size["R"] * size["S"] * size["C"]
    request, beat = moved(size["K"], pitch, LINE, program.bus, program.begin)
    total["weight_requests"] += rows * request
    total["weight_beats"] += rows * beat
    total["weight_pages"] += rows * len(blocks(size["K"], LINE)) * _page_changes(pitch)
    taps = size["R"] * size["S"] * len(blocks(size["C"], program.mesh))
    total["weight_moves"] += taps * len(blocks(size["K"], LINE))
    total["weight_rows"] += rows * len(blocks(size["K"], program.mesh))


def _execute(total: Counter[str], program: Program, size: dict[str, int]) -> None:
    mesh = program.mesh
    weight_blocks = product(
        blocks(size["R"], program.pixels(size["R"], size["C"])),
        range(size["S"]),
        blocks(size["C"], mesh),
        blocks(size["K"], mesh),
    )
    # An accumulator row is written every fourth cycle; new weights take the array's height.
    rows = [max(4, pixel) for pixel in blocks(size["P"], mesh) * size["Q"] * size["N"]]
    executed = max(rows[0], mesh) + sum(rows[1:])
    for _ in weight_blocks:
        total["preloads"] += 1
        total["computes"] += len(rows)
        total["executed_rows"] += executed


def _zero(total: Counter[str], program: Program, size: dict[str, int]) -> None:
    words = max(program.mesh, LINE // WORD // program.mesh * program.mesh)
    total["zero_rows"] += size["P"] * size["Q"] * size["N"] * len(blocks(size["K"], words))
    for _ in range(size["Q"] * size["N"] * len(blocks(size["P"], program.mesh)) * program.biased):
        _load_bias(total, program, size["K"])


def _load_bias(total: Counter[str], program: Program, filters: int) -> None:
    """One row of a tile's biases, which a command reads once, however many rows it writes."""
    request, beat = moved(filters * WORD, program.bounds["K"] * WORD, LINE, program.bus)
    total["weight_requests"] += request
    total["weight_beats"] += beat


def _store(total: Counter[str], program: Program, size: dict[str, int]) -> None:
    mesh, pitch = program.mesh, program.bounds["K"]
    filters = len(blocks(size["K"], mesh))
    rows = size["N"] * size["Q"]
    total["store_requests"] += (
        rows * size["P"] * moved(size["K"], pitch, min(mesh, LINE), program.bus, program.begin)[0]
    )
    total["stores"] += rows * len(blocks(size["P"], mesh)) * filters
    total["store_pages"] += rows * size["P"] * filters * _page_changes(pitch)


def _occupy(total: Counter[str], program: Program, wide: Axis, high: Axis) -> None:
    t, mesh = program.tile, program.mesh
    image = wide.extent(t["P"], t["R"]) * high.extent(t["Q"], t["S"])
    filters = len(blocks(t["K"], mesh))
    inputs = t["N"] * image * len(blocks(t["C"], mesh))
    total["scratchpad_bytes"] = (inputs + t["R"] * t["S"] * t["C"] * filters) * mesh
    total["accumulator_bytes"] = t["N"] * t["P"] * t["Q"] * filters * mesh * WORD


def _product(program: Program, tile: tuple[int, int, int]) -> Counter[str]:
    """Rows are the pixels of all images."""
    b, mesh = program.bounds, program.mesh
    bounds = {"I": b["P"] * b["Q"] * b["N"], "J": b["K"], "K": b["C"]}
    held = dict(zip("IJK", tile, strict=True))
    whole = {dim: blocks(bound, mesh) for dim, bound in bounds.items()}
    each = [spans(len(whole[dim]), held[dim]) for dim in "IJK"]
    total: Counter[str] = Counter()
    counts = dict(zip("PKC", map(len, each), strict=True)) | dict.fromkeys("NQRS", 1)
    inputs_stay, weights_stay = program.kept(counts)
    for i, j, k in product(*each):
        rows, channels = whole["I"][i[0] : sum(i)], whole["K"][k[0] : sum(k)]
        total["tiles"] += 1
        if not (inputs_stay and j[0]):
            _load_product(total, program, bounds, held, ("input", sum(rows), k, "K"))
        if not (weights_stay and i[0]):
            _load_product(total, program, bounds, held, ("weight", sum(channels), j, "J"))
        total["preloads"] += j[1] * k[1]
        total["computes"] += i[1] * j[1] * k[1]
        later = sum(max(4, row) for row in rows[1:])
        total["executed_rows"] += j[1] * k[1] * (max(4, mesh) + later)
        if not k[0] and program.biased:
            commands = len(blocks(j[1], max(1, LINE // WORD // mesh)))
            total["zero_rows"] += sum(rows) * commands
            for _ in rows:
                _load_bias(total, program, min(held["J"] * mesh, bounds["J"]))
        if not k[0]:
            _store_product(total, program, bounds, held, (rows, j))
    total["scratchpad_bytes"] = (held["I"] + held["J"]) * held["K"] * mesh**2
    total["accumulator_bytes"] = held["I"] * held["J"] * mesh**2 * WORD
    return total


Load = tuple[str, int, Span, str]
"""Which operand, how many rows of it, the blocks of its other dim and that dim."""


def _load_product(
    total: Counter[str], program: Program, bounds: dict[str, int], held: dict[str, int], load: Load
) -> None:
    name, count, span, dim = load
    mesh = program.mesh
    bound = bounds[dim]
    # A shorter last tile is taken for a whole one.
    request, beat = moved(min(held[dim] * mesh, bound), bound, LINE, program.bus)
    total[f"{name}_requests"] += count * request
    total[f"{name}_beats"] += count * beat
    pieces = len(blocks(span[1], max(1, LINE // mesh)))
    total[f"{name}_pages"] += count * pieces * _page_changes(bound)
    total[f"{name}_rows"] += count * span[1]
    total[f"{name}_moves"] += math.ceil(count / mesh) * pieces


def _store_product(
    total: Counter[str],
    program: Program,
    bounds: dict[str, int],
    held: dict[str, int],
    tile: tuple[list[int], Sequence[int]],
) -> None:
    rows, j = tile
    mesh, bound = program.mesh, bounds["J"]
    run = min(held["J"] * mesh, bound)
    total["store_requests"] += sum(rows) * moved(run, bound, LINE, program.bus)[0]
    total["stores"] += len(rows) * len(blocks(j[1], max(1, LINE // mesh)))
    total["store_pages"] += sum(rows) * j[1] * _page_changes(bound)
