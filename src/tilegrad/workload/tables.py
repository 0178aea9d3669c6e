"""Layer tables in CSV or YAML, of one network or of several."""

from __future__ import annotations

from pathlib import Path

from tilegrad.errors import WorkloadError, unknown
from tilegrad.workload.layer_rows import NAMES, Row, read_rows
from tilegrad.workload.problem import Problem
from tilegrad.workload.values import parse_text
from tilegrad.workload.workload import Workload


def read_layer_table(path: str | Path, network: str | None = None) -> Workload:
    """Read the layers of a CSV or YAML table, one row a layer.

    Columns: ``layer`` (or ``name``), R S P Q C K; optional N, G, strides, dilations, ``count``,
    ``network`` and ``shape``: a packaged shape's name, or the path of a YAML file of one, relative
    to the table (empty: a convolution). Then each shape's own dims and coefficients are columns;
    a row's cells are empty where its shape has no such dim. A YAML table may describe shapes under
    ``shapes``. ``network`` chooses among several and names the workload; a table without that
    column is named after its file. Malformed tables raise a ``WorkloadError`` naming file, line
    and field.
    """
    networks = read_networks(path)
    chosen = _choose(networks, network, str(path))
    return Workload(chosen or Path(path).stem, networks[chosen])


def read_networks(path: str | Path) -> dict[str | None, tuple[Problem, ...]]:
    """Read every network of a table; the key is None in a table without a ``network`` column."""
    networks: dict[str | None, tuple[Problem, ...]] = {}
    places: dict[tuple[str | None, str], tuple[Problem, str]] = {}
    rows = read_rows(Path(path))
    for row in rows:
        if ("network" in row.fields) != ("network" in rows[0].fields):
            raise WorkloadError(f"{row.where}: legal: a field network in every layer or in none")
        network, layer = _read_row(row)
        first, where = places.setdefault((network, layer.name), (layer, row.where))
        if first.signature != layer.signature:
            raise WorkloadError(
                f"{row.where}: layer {layer.name!r} has another shape than the layer of that name "
                f"in {where} (legal: a name of its own for each shape)"
            )
        networks[network] = (*networks.get(network, ()), layer)
    return networks


def _read_row(row: Row) -> tuple[str | None, Problem]:
    fields = dict(row.fields)
    name_field = next(field for field in NAMES if field in fields)
    name = parse_text(fields.pop(name_field), f"{row.where}, field {name_field}")
    network = None
    if "network" in fields:
        network = parse_text(fields.pop("network"), f"{row.where}, field network")
    count = fields.pop("count", 1)
    return network, Problem.from_fields(name, fields, count, row.where, row.shape)


def _choose(
    networks: dict[str | None, tuple[Problem, ...]], network: str | None, where: str
) -> str | None:
    if network is None and len(networks) == 1:
        return next(iter(networks))
    if network is None:
        listing = ", ".join(map(str, networks))
        raise WorkloadError(f"{where}: field network must choose one network (legal: {listing})")
    if None in networks:
        raise WorkloadError(f"{where}: no column network to find {network!r} in (legal: null)")
    if network not in networks:
        raise WorkloadError(unknown("network", network, networks, where))
    return network
