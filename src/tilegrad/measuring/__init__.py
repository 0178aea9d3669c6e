"""A search whose designs are measured, and which searches again by what that taught."""

from __future__ import annotations
