"""PyTorch's modules and exported programs (``.pt2``), read by ``torch.export``."""
