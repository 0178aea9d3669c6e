"""The published JSON schema of result.json: ``python -m tilegrad.record.schema`` prints it."""

from __future__ import annotations

import json

from tilegrad.record.result import Result


def schema_text() -> str:
    """Return the schema as ``docs/result.schema.json`` holds it."""
    schema = Result.model_json_schema(by_alias=True)
    named = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
    return json.dumps(named, indent=2) + "\n"


if __name__ == "__main__":
    print(schema_text(), end="")
