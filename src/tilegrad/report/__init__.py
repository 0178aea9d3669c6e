"""What people see of a run: tables, pictures, loop nests and a page.

Each name is imported when it is first asked for: a search starts without Matplotlib.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
