"""A layer's shape and sizes in a record."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any

from pydantic import (
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
    create_model,
)
from pydantic_core import PydanticCustomError

from tilegrad.errors import WorkloadError, nearest
from tilegrad.record.values import ILLEGAL, Part, Size
from tilegrad.shape import ROLES, Shape, build_shape, packaged_shape, packaged_shapes
from tilegrad.shape.conv import CONV, GROUPED

StatedShape = str | dict[str, Any]
"""A packaged shape's name, or a description."""


def stated_shape(shape: Shape) -> dict[str, StatedShape]:
    """Return the field ``shape`` of a layer's record; none for a convolution."""
    if shape in (CONV, GROUPED):
        return {}
    packaged = {packaged_shape(name): name for name in packaged_shapes()}
    return {"shape": packaged.get(shape) or shape.described()}


def read_stated(value: StatedShape | None) -> Shape:
    """Return the shape of a record's field; ``WorkloadError`` says what is wrong with it."""
    if value is None:
        return GROUPED
    if isinstance(value, str):
        return packaged_shape(value)
    return build_shape({"name": "shape", **value}, "its description")


def _check_shape(value: object) -> object:
    legal = f"{', '.join(packaged_shapes())}, or an object of dims and tensors"
    if isinstance(value, str) and value not in packaged_shapes():
        raise PydanticCustomError(
            ILLEGAL, nearest(value, packaged_shapes()).removeprefix("legal: ")
        )
    if not isinstance(value, str | dict):
        raise PydanticCustomError(ILLEGAL, legal)
    try:
        read_stated(value)
    except WorkloadError as error:
        # Braces in a message are for pydantic's own templates.
        raise PydanticCustomError(ILLEGAL, "{why}", {"why": f"a shape: {error}"}) from None
    return value


@lru_cache(maxsize=64)
def _sizes_of(shape: Shape) -> type[Part]:
    fields: dict[str, Any] = {
        name: (Size, ... if name in shape.required else shape.default(name))
        for name in shape.fields
    }
    return create_model("Sizes", __base__=Part, **fields)


def _check_sizes(value: object, info: ValidationInfo) -> dict[str, int]:
    """Return the sizes, those that may be left out filled in; not dims that a layer is without."""
    shape = read_stated(info.data.get("shape"))
    filled = _sizes_of(shape).model_validate(value).model_dump()
    return {name: size for name, size in filled.items() if name not in shape.left_out or size != 1}


Sizes = Annotated[
    dict[str, int],
    PlainValidator(_check_sizes),
    WithJsonSchema(
        {
            "type": "object",
            "additionalProperties": {"type": "integer", "minimum": 1, "maximum": 2**53},
        }
    ),
]
"""A layer's bounds and strides by name."""

LayerShape = Annotated[
    StatedShape,
    PlainValidator(_check_shape),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": list(packaged_shapes())},
                {
                    "type": "object",
                    "properties": {
                        "dims": {"type": "array", "items": {"type": "string"}, "minItems": 1},
                        "tensors": {"type": "object", "required": list(ROLES)},
                    },
                    "required": ["dims", "tensors"],
                },
            ]
        }
    ),
]

CONV_ALONE: dict[str, Any] = {
    "if": {"properties": {"shape": False}},
    "then": {"properties": {"problem": _sizes_of(GROUPED).model_json_schema()}},
}
"""What the schema adds of layers without a shape: a convolution's sizes."""
