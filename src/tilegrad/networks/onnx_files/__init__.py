"""ONNX files (``.onnx``), their shapes inferred by the package ``onnx``."""
