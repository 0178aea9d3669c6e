"""The certificate as a file: read whole, or refused by the field that is wrong."""

from __future__ import annotations

import json
from hashlib import sha256
from math import inf
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tilegrad.errors import DataError

CERTIFICATE = "certificate.json"

Real = Annotated[float, Field(allow_inf_nan=False)]
Finite = Annotated[float, Field(allow_inf_nan=False, ge=0)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Lines(_Part):
    """For each price of a cycle (None: infinite) each layer's least ``E + p L`` [pJ] (or cycles).

    Of one network's layers. ``searched``: the figure below which no choice is within the caps.
    """

    prices: list[Real | None] = Field(min_length=1)
    values: list[list[Real]] = Field(min_length=1)
    searched: Finite | None

    def layer(self, index: int) -> list[tuple[float | None, float]]:
        """Return each price with the least of one of the layers."""
        return [(p, line[index]) for p, line in zip(self.prices, self.values, strict=True)]

    @property
    def sums(self) -> list[tuple[float, float]]:
        """Each price (infinite too) with the least of all layers."""
        pairs = zip(self.prices, self.values, strict=True)
        return [(inf if price is None else price, sum(values)) for price, values in pairs]


class Shown(_Part):
    """The lines of each network; ``filled``: the layer that fills the meshes; -1: none has to."""

    filled: int
    networks: list[Lines] = Field(min_length=1)


class Cell(_Part):
    """A box of hardware, and what bounds it; a bound of None: it holds no design."""

    ends: dict[str, tuple[Finite, Finite]]
    bound: Finite | None
    shown: list[Shown]


class Mapspace(_Part):
    """What the bound is of."""

    accelerator: str
    workload: str
    padding: Literal["none"]
    orders: Literal["candidates", "all"]
    fixed: dict[str, Finite]
    caps: dict[str, Finite | None]
    rule: Literal["sum", "geomean", "worst"] | None
    weights: list[Finite]
    own: list[Finite]


class Certificate(_Part):
    """What an exact search leaves: see docs/proof.md. Energies in pJ."""

    format: Literal[2]
    mapspace: Mapspace
    objective: Literal["edp", "energy", "latency", "area-delay"]
    value: Finite
    bound: Finite
    gap: Finite
    cells: list[Cell] = Field(min_length=1)
    result: str
    digest: str


def read_certificate(directory: Path) -> Certificate | None:
    """Read a run's certificate; None where it has none.

    ``DataError`` where its content is not that of its digest, or of another result.
    """
    path = directory / CERTIFICATE
    if not path.exists():
        return None
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        found = Certificate.model_validate_json(json.dumps(content))
    except (UnicodeDecodeError, json.JSONDecodeError, AttributeError) as error:
        raise DataError(f"{path}: is not a certificate: {error}") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the whole file"
        raise DataError(f"{path}: field {place}: {first['msg']}") from None
    content.pop("digest")
    text = json.dumps(content, sort_keys=True).encode()
    if sha256(text).hexdigest() != found.digest:
        raise DataError(f"{path}: its content is not that of its digest: it was changed")
    return found
