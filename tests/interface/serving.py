"""``python -m tests.interface.serving FOLDER PORT [live]``: the pages of a test folder at the instant it was made for.

``live``: at this instant, as the program itself serves.
"""

import sys
from pathlib import Path

import uvicorn

from api.app import create_app
from gateway.assembly.platform import SystemClock
from tests.plant_folder import FixedClock

if __name__ == "__main__":
    uvicorn.run(
        create_app(Path(sys.argv[1]), clock=SystemClock() if sys.argv[3:] == ["live"] else FixedClock()),
        host="127.0.0.1",
        port=int(sys.argv[2]),
        log_level="warning",
        access_log=False,
    )
