"""Whole networks as workloads: from PyTorch, from ONNX, and by their configurations."""
