"""Values of a record's fields: each says what is legal, to readers and in the JSON schema."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, NoReturn

from pydantic import (
    BaseModel,
    ConfigDict,
    PlainValidator,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from tilegrad.checks import is_number
from tilegrad.errors import nearest
from tilegrad.workload.values import LARGEST

ILLEGAL = "illegal"
"""The type of errors whose message is what would be legal."""

UNKNOWN = "unknown"


class Part(BaseModel):
    """An object of named fields; one that is not among them is refused with the nearest that is."""

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True)

    @model_validator(mode="before")
    @classmethod
    def _known(cls, values: object) -> object:
        if isinstance(values, dict) and cls.model_config.get("extra") == "forbid":
            legal = [field.alias or name for name, field in cls.model_fields.items()]
            for name in values:
                if name not in legal:
                    _raise(UNKNOWN, nearest(name, legal), str(name), values[name])
        return values

    def refuse(self, field: str, value: object, legal: str) -> NoReturn:
        """Refuse one field because of another one, in a validator of the whole."""
        _raise(ILLEGAL, legal, field, value)


def _raise(kind: str, message: str, field: str, value: object) -> NoReturn:
    # Braces in a message are for pydantic's own templates.
    error = PydanticCustomError(kind, "{message}", {"message": message})
    detail = InitErrorDetails(type=error, loc=(field,), input=value)
    raise ValidationError.from_exception_data("record", [detail])


def _checked(is_legal: Callable[[Any], bool], legal: str) -> PlainValidator:
    """Return a validator that leaves a legal value as it is: ``1`` stays an integer."""

    def check(value: object) -> object:
        if not is_legal(value):
            raise PydanticCustomError(ILLEGAL, legal)
        return value

    return PlainValidator(check)


def _is_size(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= LARGEST


Number = Annotated[
    float,
    _checked(lambda value: is_number(value) and value >= 0, "a finite number >= 0"),
    WithJsonSchema({"type": "number", "minimum": 0}),
]
Real = Annotated[float, _checked(is_number, "a finite number"), WithJsonSchema({"type": "number"})]
Text = Annotated[
    str,
    _checked(lambda value: isinstance(value, str) and value != "", "a non-empty text"),
    WithJsonSchema({"type": "string", "minLength": 1}),
]
Size = Annotated[
    int,
    _checked(_is_size, "an integer from 1 to 2**53"),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": LARGEST}),
]
